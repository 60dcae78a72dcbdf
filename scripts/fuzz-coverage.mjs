// The safetensors reader under fuzzing that is guided by coverage, V8's own, so that it needs nothing compiled: an input that runs a block
// of the reader which none before it ran is kept, and changed further. `npm run fuzz:coverage -- --seconds 60`
import { mkdtempSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
});

const folder = mkdtempSync(join(tmpdir(), 'crosshead-fuzz-'));
const file = join(folder, 'safetensors.mjs');
const source = resolve(import.meta.dirname, '../src/formats/safetensors.ts');
await build({
  stdin: {
    contents: `export * from ${JSON.stringify(source)}; export * from ${JSON.stringify(resolve(source, '../../errors.ts'))};`,
    resolveDir: folder,
  },
  bundle: true,
  format: 'esm',
  outfile: file,
});
const { readSafetensors, writeSafetensors, WeightsFormatError } = await import(pathToFileURL(file).href);
rmSync(folder, { recursive: true });

/** mulberry32 */
let state = Number(values.seed) >>> 0;
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
}
const pick = (list) => list[random(list.length)];

/** Words of the format, which chance would take long to spell. */
const words = [
  ...[
    '"F32"',
    '"F16"',
    '"BF16"',
    '"I64"',
    '"BOOL"',
    '"dtype"',
    '"shape"',
    '"data_offsets"',
    '"__metadata__"',
    '"__proto__"',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '""',
    '0',
    '-1',
    '4',
    '8',
    '1e9',
    '9007199254740992',
    'null',
    '[0,4]',
    '[]',
    '{}',
    ' ',
  ],
].map((word) => new TextEncoder().encode(word));

function changed(bytes, other) {
  let out = bytes;
  for (let n = 1 + random(4); n > 0; n--) {
    const [i, j] = [random(out.length + 1), random(out.length + 1)].sort((a, b) => a - b);
    const insert = pick([
      pick(words),
      Uint8Array.of(random(256)),
      other.subarray(0, random(other.length + 1)),
      out.subarray(i, j),
      [],
    ]);
    const [from, to] = pick([
      [i, j],
      [i, i],
      [i, Math.min(i + insert.length, out.length)],
    ]);
    out = Uint8Array.from([...out.subarray(0, from), ...insert, ...out.subarray(to)]).subarray(0, 2048);
  }
  // Mostly with a length that is the header's, so that more than the first check is reached.
  if (out.length > 8 && random(8) > 0) {
    const end = out.lastIndexOf(0x7d);
    out = Uint8Array.from(out);
    new DataView(out.buffer).setBigUint64(0, BigInt(Math.max(0, end >= 8 ? end - 7 : random(out.length))), true);
  }
  return out;
}

function run(bytes) {
  const start = performance.now();
  try {
    const { tensors, metadata } = readSafetensors(Uint8Array.from(bytes).buffer);
    for (const { shape, dtype, values } of tensors.values()) {
      const size = shape.reduce((a, b) => a * b, 1);
      if (size > bytes.length) throw new Error(`a tensor of ${size} elements in ${bytes.length} bytes`);
      try {
        if (values().length !== size) throw new Error(`${values().length} values of ${size}`);
      } catch (error) {
        if (!(error instanceof WeightsFormatError) || /^(F32|F16|BF16)$/.test(dtype)) throw error;
      }
    }
    if ([...metadata.values()].some((value) => typeof value !== 'string'))
      throw new Error('metadata that is no string');
  } catch (error) {
    if (!(error instanceof WeightsFormatError)) throw error;
  }
  if (Object.keys(Object.prototype).length) throw new Error('the prototype of objects was changed');
  if (performance.now() - start > 1000) throw new Error(`took ${performance.now() - start} ms`);
}

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const seen = new Set();

/** Blocks of the reader that the last run was the first to run, or to run so many times. */
async function news() {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  let count = 0;
  for (const { url, functions } of result) {
    if (!url.endsWith('/safetensors.mjs')) continue;
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count: times } of ranges) {
        const key = `${startOffset}-${endOffset}-${Math.ceil(Math.log2(times + 1))}`;
        if (seen.has(key)) continue;
        seen.add(key);
        count++;
      }
    }
  }
  return count;
}

const tensor = (name, length, dtype) => ({ name, shape: [length], values: new Float32Array(length), dtype });
const corpus = [
  new Uint8Array(0),
  writeSafetensors([]),
  writeSafetensors([tensor('a', 2), tensor('b', 1, 'F16')], { format: 'pt' }),
];
for (const bytes of corpus) run(bytes);
await news();
let runs = 0;
const end = performance.now() + Number(values.seconds) * 1000;
while (performance.now() < end) {
  const bytes = changed(pick(corpus), pick(corpus));
  try {
    run(bytes);
  } catch (error) {
    console.log(`after ${runs} runs: ${error}\n  of base64 ${Buffer.from(bytes).toString('base64')}`);
    process.exitCode = 1;
    break;
  }
  runs++;
  if ((await news()) > 0) corpus.push(bytes);
}
console.log(`${runs} runs of the safetensors reader, ${seen.size} blocks and counts, ${corpus.length} inputs kept`);
