// The examples beside other libraries, in a browser, on one GPU device: the right answers, and nothing read back but these.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer';
import { build, type Plugin } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { browserArgs, findBrowser } from '../../scripts/browser.mjs';
import { graphs, writeModels } from '../../scripts/example-models.mjs';
import { wgsl } from '../../scripts/wgsl.ts';
import { root } from '../node/consumers/install.ts';
import { serve } from '../node/consumers/serve.ts';
import { expectClose } from '../support/close.ts';
import * as reference from '../support/reference.ts';

let browser: Browser;
const folders: string[] = [];
const newFolder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'crosshead-interop-')));
  return folders[folders.length - 1];
};
beforeAll(async () => {
  browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args: browserArgs() });
});
afterAll(async () => {
  await browser?.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Other libraries come from where they are installed for the benchmarks; transformers.js from its example. */
const installed = (modules: string): Plugin => ({
  name: 'installed elsewhere',
  enforce: 'pre',
  resolveId(source, importer) {
    const bare = /^[@a-z]/.test(source) && !source.startsWith('crosshead');
    const ours = importer && !importer.includes('node_modules');
    return bare && ours ? this.resolve(source, join(root, modules, 'index.js'), { skipSelf: true }) : null;
  },
});

const counted = () => {
  const page = globalThis as unknown as { bytesRead: number };
  page.bytesRead = 0;
  const { mapAsync } = GPUBuffer.prototype;
  GPUBuffer.prototype.mapAsync = function (this: GPUBuffer, mode, offset = 0, size = this.size - offset) {
    if (mode === 1) page.bytesRead += size;
    return mapAsync.call(this, mode, offset, size);
  };
};

/** What the page of an example answers, and how many bytes were mapped to be read: by crosshead or by the library. */
async function run(example: string, modules: string) {
  const outDir = newFolder();
  await build({
    root: join(root, 'examples', example),
    configFile: false,
    base: './',
    logLevel: 'error',
    plugins: [installed(modules), wgsl()],
    resolve: {
      alias: [
        { find: /^crosshead$/, replacement: join(root, 'src/index.ts') },
        { find: /^crosshead\/(\w+)$/, replacement: join(root, 'src/interop/$1.ts') },
      ],
    },
    build: { outDir, emptyOutDir: true, target: 'esnext', minify: false },
  });
  const { url, close } = await serve(outDir, {}, { '/ort/': join(root, modules, 'node_modules/onnxruntime-web/dist') });
  const page = await browser.newPage();
  const said: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) foreign.push(request.url());
  });
  await page.evaluateOnNewDocument(counted);
  await page.goto(url);
  await page
    .waitForFunction(() => document.querySelector('#answer')?.textContent?.startsWith('{'), { timeout: 40_000 })
    .catch(() => expect(said, 'no answer').toEqual(['an answer']));
  const text = await page.$eval('#answer', (element) => element.textContent ?? '');
  const bytesRead = await page.evaluate(() => (globalThis as unknown as { bytesRead: number }).bytesRead);
  await page.close();
  close();
  expect(foreign, 'fetched from elsewhere').toEqual([]);
  return { answer: JSON.parse(text), bytesRead };
}

const tolerance = { relative: 2e-5, absolute: 1e-6 };
const constant = (graph: keyof typeof graphs, name: string) =>
  graphs[graph].constants!.find((one) => one.name === name)!.values;
/** The two best of each row of probabilities. */
const best = (p: ArrayLike<number>, classes: number) =>
  Array.from({ length: p.length / classes }, (_, row) =>
    Array.from({ length: classes }, (_, index) => ({ index, score: p[row * classes + index] }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 2),
  );
type Answers = { index: number; score: number }[][];
function expectBest(answers: Answers, expected: Answers): void {
  expect(answers.map((row) => row.map(({ index }) => index))).toEqual(
    expected.map((row) => row.map(({ index }) => index)),
  );
  expectClose(
    answers.flat().map(({ score }) => score),
    expected.flat().map(({ score }) => score),
    tolerance,
  );
}

it('onnxruntime-web: features of a model into a head, and probabilities into a model', async () => {
  const { answer, bytesRead } = await run('onnxruntime', 'bench');
  expect(answer.backend).toBe('webgpu');
  expect(answer.answers.map((row: unknown[]) => row.length)).toEqual([2, 2, 2]);
  // The same head on the CPU, of features in float64.
  const { ClassificationHead, createContext } = await import('../../dist/index.js' as string);
  const w = constant('body', 'w');
  const features = Array.from({ length: 3 }, (_, row) =>
    Array.from({ length: 8 }, (_, d) =>
      Math.tanh(
        Array.from({ length: 16 }, (_, i) => Math.fround(Math.sin(row * 16 + i)) * w[i * 8 + d]).reduce(
          (a, b) => a + b,
        ),
      ),
    ),
  );
  const cpu = await createContext({ backend: 'cpu' });
  const labels = ['ant', 'bee', 'cat', 'dog', 'emu'];
  const head = ClassificationHead.create(cpu, { features: 8, labels, seed: 1 });
  expectBest(answer.answers, await head.predict(features, { topK: 2 }));
  const p = reference.softmax([2, 1, 0.1], [1, 3]);
  expectClose(
    answer.negated.flat(),
    Array.from(p, (v) => -v),
    tolerance,
  );
  expect(bytesRead).toBe(3 * 2 * 8 + 3 * 4);
});

it('transformers.js: logits of a classifier', async () => {
  const { answer, bytesRead } = await run('transformers', 'examples/transformers');
  expect(answer.backend).toBe('webgpu');
  const [embeddings, weight, bias] = ['embeddings', 'weight', 'bias'].map((name) => constant('bert', name));
  const ids = [1, 5, 9, 2, 0, 0, 1, 7, 7, 3, 2, 0];
  const logits = Array.from({ length: 2 * 5 }, (_, i) => {
    const [row, c] = [Math.floor(i / 5), i % 5];
    let sum = bias[c];
    for (let j = 0; j < 24; j++) sum += weight[c * 24 + j] * embeddings[ids[row * 6 + Math.floor(j / 4)] * 4 + (j % 4)];
    return sum;
  });
  expectBest(answer.answers, best(reference.softmax(logits, [2, 5]), 5));
  expect(answer.answers[0][0].label).toBe(['sad', 'cross', 'calm', 'glad', 'merry'][answer.answers[0][0].index]);
  expect(bytesRead).toBe(2 * 2 * 8);
});

it.each([
  ['TensorFlow.js', 'tfjs'],
  ['jax-js', 'jax'],
])('%s: logits from it, and probabilities to it', async (_, example) => {
  const { answer, bytesRead } = await run(example, 'bench');
  expect(answer.backend).toBe('webgpu');
  const p = reference.softmax([1, 2, 1, 3, 4, 1], [2, 3]); // [[1, 2], [3, 4]] times [[1, 0, -1], [0, 1, 1]]
  const { scores, classes } = answer.answers;
  const answers: Answers = scores.map((row: number[], r: number) =>
    row.map((score, j) => ({ index: classes[r][j], score })),
  );
  expectBest(answers, best(p, 3));
  expectClose(answer.best.flat(), [-Math.min(p[0], p[1], p[2]), -Math.min(p[3], p[4], p[5])], tolerance);
  expect(bytesRead).toBe(2 * 2 * 8 + 2 * 4);
});

it('the models are what their script writes', async () => {
  const folder = newFolder();
  for (const file of await writeModels(folder)) {
    expect(readFileSync(join(folder, file)).equals(readFileSync(join(root, 'examples', file))), file).toBe(true);
  }
});
