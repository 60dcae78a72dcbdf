#!/usr/bin/env node
// The command line: scores a file of features with a head. Answers go to stdout or a file, all else to stderr.
import { once } from 'node:events';
import { createWriteStream, openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ClassificationHead, CrossheadError, createContext } from '../dist/index.js';
import { forms } from './answers.mjs';
import { FeaturesError, openFeatures, openFile } from './features.mjs';

const usage = `crosshead predict HEAD.safetensors FEATURES [options]

Scores each row of FEATURES (.npy, or a matrix of a .safetensors file; float16, float32, float64) with the
classification head in HEAD, and prints its best classes.

  --config FILE     Hugging Face's config.json: labels, and softmax or sigmoid
  --tensor NAME     which tensor of a .safetensors file of features; its only matrix by default
  --top-k K         answers a row; 5 by default, or all classes where they are fewer
  --backend NAME    auto (default), webgpu or cpu; webgpu needs the npm package "webgpu" beside
  --format NAME     table (default), json or csv
  --output FILE     where to write; stdout by default
  --quiet           says nothing but errors
  --help            this
  --version         the version

Exit status: 0 done, 1 it failed, 2 the command was not understood.
`;

const options = {
  config: { type: 'string' },
  tensor: { type: 'string' },
  'top-k': { type: 'string' },
  backend: { type: 'string', default: 'auto' },
  format: { type: 'string', default: 'table' },
  output: { type: 'string' },
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', default: false },
};

/** What was typed is not a command. */
class UsageError extends Error {}

/** A batch of features is about this many numbers. */
const batchNumbers = 2 ** 18;

function readCommand(args) {
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help || values.version) return values;
  const [command, head, features, ...rest] = positionals;
  if (command !== 'predict') throw new UsageError(command ? `"${command}" is no command` : 'no command');
  if (!features || rest.length) throw new UsageError('predict takes two files: the head and the features');
  const choice = (name, choices) => {
    if (!choices.includes(values[name]))
      throw new UsageError(`--${name} must be ${choices.join(', ')}, got ${values[name]}`);
  };
  choice('backend', ['auto', 'webgpu', 'cpu']);
  choice('format', Object.keys(forms));
  const k = values['top-k'];
  if (k !== undefined && !/^[1-9]\d*$/.test(k)) throw new UsageError(`--top-k must be a whole number from 1, got ${k}`);
  return { ...values, head, features, topK: k && Number(k) };
}

/** The package `webgpu`, installed beside this one or where the command is run; undefined where there is none. */
async function dawn() {
  const require = createRequire(join(process.cwd(), 'here'));
  const places = [() => 'webgpu', () => pathToFileURL(require.resolve('webgpu')).href];
  for (const place of places) {
    try {
      return await import(place());
    } catch {}
  }
}

async function openContext(backend) {
  const webgpu = backend === 'cpu' ? undefined : await dawn();
  if (backend === 'webgpu' && !webgpu)
    throw new CrossheadError('--backend webgpu needs the package "webgpu": npm install webgpu');
  return createContext({ backend, gpu: webgpu?.create([]) });
}

async function openHead(context, { head, config }) {
  await (await openFile(head)).close(); // openAsBlob names no file in its errors
  const weights = await openAsBlob(head); // of which only the head's own tensors are read
  const text = config && (await readFile(config, 'utf8'));
  try {
    // An object, because text that is no JSON would be taken for the address of some.
    return await ClassificationHead.load(context, weights, { config: config && JSON.parse(text) });
  } catch (error) {
    throw new CrossheadError(`${error instanceof SyntaxError ? config : head}: ${error.message}`, { cause: error });
  }
}

/** Says how far it is on one line that is written over, where somebody looks; how it ended, in any case. */
function progressOf(rows, quiet) {
  const begin = performance.now();
  let said = begin;
  const rate = (done) =>
    `${Math.round((done * 1000) / Math.max(1, performance.now() - begin)).toLocaleString('en')} rows a second`;
  return {
    at(done) {
      if (quiet || !process.stderr.isTTY || performance.now() - said < 100) return;
      said = performance.now();
      process.stderr.write(`\r${done} of ${rows} rows, ${rate(done)} \x1b[K`);
    },
    end(reason) {
      if (!quiet)
        process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}${rows} rows, ${rate(rows)}. ${reason}\n`);
    },
  };
}

async function predict(command) {
  const features = await openFeatures(command.features, command.tensor);
  try {
    const context = await openContext(command.backend);
    try {
      await score(features, await openHead(context, command), command);
    } finally {
      context.dispose();
    }
  } finally {
    await features.close();
  }
}

async function score(features, head, command) {
  const [classes, depth] = head.weight.shape;
  if (features.depth !== depth)
    throw new FeaturesError(`${command.features} has rows of ${features.depth} numbers, the head takes ${depth}`);
  if (command.topK > classes)
    throw new CrossheadError(`--top-k ${command.topK} is more than the head's ${classes} classes`);
  const out = outputOf(command.output);
  const form = forms[command.format](head.labels, features.rows);
  const progress = progressOf(features.rows, command.quiet);
  let row = 0;
  await out.write(form.start);
  for await (const batch of features.batches(Math.max(1, Math.floor(batchNumbers / Math.max(depth, classes))))) {
    const answers = await head.predict(batch, { topK: command.topK });
    await out.write(answers.map((list) => form.row(row++, list)).join(''));
    progress.at(row);
  }
  await out.write(form.end);
  await out.end();
  progress.end(head.weight.context.reason);
}

/** stdout or a file; `write` waits for a slow reader, and throws what the stream did. */
function outputOf(path) {
  const stream = path === undefined ? process.stdout : createWriteStream(path);
  let failed;
  stream.on('error', (error) => {
    failed = error;
  });
  return {
    async write(text) {
      if (failed) throw failed;
      if (text && !stream.write(text)) await once(stream, 'drain');
    },
    async end() {
      if (stream !== process.stdout) await finished(stream.end());
    },
  };
}

async function main() {
  try {
    const command = readCommand(process.argv.slice(2));
    if (command.help) return void process.stdout.write(usage);
    if (command.version) {
      const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
      return void process.stdout.write(`${version}\n`);
    }
    await predict(command);
  } catch (error) {
    if (error.code === 'EPIPE') return; // whoever read has seen enough
    const known =
      error instanceof UsageError || error instanceof CrossheadError || error instanceof FeaturesError || error.code;
    process.stderr.write(`crosshead: ${known ? error.message : error.stack}\n`);
    if (error instanceof UsageError) process.stderr.write('crosshead --help lists what there is.\n');
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

await main();
