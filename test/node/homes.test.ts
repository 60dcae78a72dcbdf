// Other homes of the built library: a page that forbids nearly everything, a Worker, a page behind another; and a GPU process that dies.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserArgs, findBrowser } from '../../scripts/browser.mjs';
import type * as Library from '../../src/index.ts';
import { expectClose } from '../support/close.ts';
import * as reference from '../support/reference.ts';
import { root } from './consumers/install.ts';
import { serve } from './consumers/serve.ts';

const logits = [2, 1, 0.1, 0, 3, -1];
const expected = reference.softmax(logits, [2, 3]);
const tolerance = { relative: 2e-6, absolute: 1e-7 };

const ask = `
const { createContext, softmax } = await import('./dist/index.js');
async function ask(backend) {
  const context = await createContext({ backend });
  const p = await softmax(context.tensor(${JSON.stringify(logits)}, [2, 3])).data();
  return { backend: context.backend, reason: context.reason, p: [...p] };
}
const answers = async () => [await ask('webgpu'), await ask('cpu')];
`;
const files: Record<string, string> = {
  'index.html': '<!doctype html><title>page</title><script type="module" src="page.js"></script>',
  'page.js': `${ask}
const worker = new Worker('worker.js', { type: 'module' });
const inWorker = new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
});
self.inPage = answers();
self.inWorker = inWorker;
self.ready = true;`,
  'worker.js': `${ask}
postMessage(await answers());`,
  'work.html': '<!doctype html><title>work</title><script type="module" src="work.js"></script>',
  'work.js': "self.crosshead = await import('./dist/index.js'); self.ready = true;",
};

interface Answer {
  readonly backend: string;
  readonly reason: string;
  readonly p: number[];
}
/** What the pages keep on self. */
interface Kept {
  ready: boolean;
  crosshead: typeof Library;
  inPage: Promise<Answer[]>;
  inWorker: Promise<Answer[]>;
  context: Library.Context;
  pending: Promise<string[]>;
  fitting: Promise<string>;
  steps: number;
  recovered: string[];
  head: Library.ClassificationHead;
  before: Library.Context;
  asked: Promise<Library.Prediction[][]>;
  stop: AbortController;
}
declare const self: Kept;

let folder: string;
let browser: Browser;
let page: Page;
const closes: (() => void)[] = [];
const open = async (headers: Record<string, string>, file: string) => {
  const { url, close } = await serve(folder, headers);
  closes.push(close);
  const opened = await browser.newPage();
  const asked: string[] = [];
  const said: string[] = [];
  opened.on('request', (request) => asked.push(request.url().replace(url, '')));
  opened.on('console', (message) => said.push(message.text()));
  opened.on('pageerror', (error) => said.push(String(error)));
  await opened.goto(`${url}${file}`);
  // Not waitForFunction, which a policy against eval stops.
  while (!(await opened.evaluate(() => self.ready))) await new Promise((resolve) => setTimeout(resolve, 50));
  return { opened, asked, said };
};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crosshead-homes-'));
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  // Chrome gives a page no more adapters after two crashes, without these two.
  const args = [...browserArgs(), '--disable-domain-blocking-for-3d-apis', '--disable-gpu-process-crash-limit'];
  browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args });
});
afterAll(async () => {
  await browser?.close();
  for (const close of closes) close();
  rmSync(folder, { recursive: true, force: true });
});

it('a page and its Worker, whose policy allows their own scripts and nothing else', async () => {
  const policy = "default-src 'none'; script-src 'self'";
  const { opened, asked, said } = await open({ 'content-security-policy': policy }, 'index.html');
  const [inPage, inWorker] = await opened.evaluate(() => Promise.all([self.inPage, self.inWorker]));
  for (const [webgpu, cpu] of [inPage, inWorker]) {
    expect([webgpu.backend, cpu.backend]).toEqual(['webgpu', 'cpu']);
    for (const { p } of [webgpu, cpu]) expectClose(p, expected, tolerance);
    expect(cpu.reason).toMatch(/^The CPU was asked for\. It computes in plain JavaScript: CompileError: .*unsafe-eval/);
  }
  // What is blocked is WebAssembly, and nothing is fetched but the scripts.
  expect(said.filter((line) => !/unsafe-eval/i.test(line) && !line.includes('favicon'))).toEqual([]);
  const scripts = asked.filter((path) => path !== 'favicon.ico');
  expect(
    scripts.every((path) => /^(index\.html|page\.js|worker\.js|dist\/\w+\.js)$/.test(path)),
    scripts.join(),
  ).toBe(true);
  await opened.close();
}, 90_000);

it('a page and its Worker with WebAssembly and no more', async () => {
  const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";
  const { opened } = await open({ 'content-security-policy': policy }, 'index.html');
  const [inPage, inWorker] = await opened.evaluate(() => Promise.all([self.inPage, self.inWorker]));
  for (const [, cpu] of [inPage, inWorker]) {
    expect(cpu.reason).toBe('The CPU was asked for. It computes with WebAssembly SIMD.');
    expectClose(cpu.p, expected, tolerance);
  }
  await opened.close();
}, 90_000);

it('nothing in dist evaluates text, or names a place on the network', () => {
  for (const file of readdirSync(join(folder, 'dist')).filter((name) => name.endsWith('.js'))) {
    const text = readFileSync(join(folder, 'dist', file), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
    expect(text, file).not.toMatch(
      /\beval\s*\(|new Function\b|\bFunction\s*\(|XMLHttpRequest|sendBeacon|WebSocket|https?:\/\//,
    );
  }
});

describe('a page at work', () => {
  beforeAll(async () => {
    page = (await open({}, 'work.html')).opened;
  });
  afterAll(() => page?.close());

  const startFit = () =>
    page.evaluate(async () => {
      const { ClassificationHead, createContext } = self.crosshead;
      const context = await createContext({ backend: 'webgpu' });
      const head = ClassificationHead.create(context, { features: 4, classes: 3 });
      const features = Array.from({ length: 320 }, (_, i) =>
        [0, 1, 2, 3].map((d) => Number(d === i % 3) + Math.sin(i * d) / 9),
      );
      const targets = features.map((_, i) => i % 3);
      Object.assign(self, { steps: 0, recovered: [], stop: new AbortController() });
      const onProgress = ({ step, recovered }: { step: number; recovered?: string }) => {
        self.steps = step;
        if (recovered) self.recovered.push(recovered);
      };
      self.fitting = head
        .fit(features, targets, { epochs: 1e6, batchSize: 16, onProgress, signal: self.stop.signal })
        .then(
          () => 'ended',
          (error) => (error.name === 'AbortError' ? 'stopped' : String(error)),
        )
        .then(async (how) => `${how} on ${head.context.backend}, ${(await head.evaluate(features, targets)).accuracy}`);
    });
  const goesOn = async () => {
    const before = await page.evaluate(() => self.steps);
    await page.waitForFunction((from) => self.steps > from, { timeout: 60_000, polling: 50 }, before);
  };
  const stopFit = () =>
    page.evaluate(() => {
      self.stop.abort();
      return self.fitting;
    });

  it('goes on behind another page', async () => {
    await startFit();
    await goesOn();
    const front = await browser.newPage();
    await front.bringToFront();
    expect(await page.evaluate(() => document.visibilityState)).toBe('hidden');
    await goesOn();
    const p = await page.evaluate(async () => {
      const { createContext, softmax } = self.crosshead;
      const context = await createContext({ backend: 'webgpu' });
      return [...(await softmax(context.tensor([2, 1, 0.1, 0, 3, -1], [2, 3])).data())];
    });
    expectClose(p, expected, tolerance);
    expect(await stopFit()).toBe('stopped on webgpu, 1');
    await page.bringToFront();
    await front.close();
  }, 120_000);

  it('survives the death of the GPU process, twice', async () => {
    const cdp = await browser.target().createCDPSession();
    await startFit();
    const sure = await page.evaluate(async () => {
      const { ClassificationHead, createContext } = self.crosshead;
      const context = await createContext({ backend: 'webgpu' });
      const weight = [0, 1, 2].map((c) => [0, 1, 2, 3].map((d) => Math.cos(c + 3 * d)));
      self.head = ClassificationHead.fromWeights(context, { weight, recover: true });
      return self.head.predict([1, -2, 0.5, 3]);
    });
    for (const round of [1, 2]) {
      await goesOn();
      await page.evaluate(async () => {
        const { createContext, linear, softmax } = self.crosshead;
        const context = await createContext({ backend: 'webgpu' });
        const x = context.tensor(new Float32Array(1024 * 1024), [1024, 1024]);
        await softmax(x).data(); // compiled
        const queued = Array.from({ length: 4 }, () => linear(x, x)); // seconds of work
        const reads = [...queued.map((y) => y.data()), softmax(queued[0]).data(), context.finished()];
        self.context = context;
        const { context: own } = self.head;
        const z = own.tensor(new Float32Array(1024 * 1024), [1024, 1024]);
        for (let i = 0; i < 4; i++) linear(z, z); // before the answer, on its device
        self.before = own;
        self.asked = self.head.predict([1, -2, 0.5, 3]);
        self.pending = Promise.all(
          reads.map((read) =>
            read.then(
              () => 'answered',
              (error) => error.name,
            ),
          ),
        );
      });
      await cdp.send('Browser.crashGpuProcess').catch(() => {}); // it does not always live to answer
      const after = await page.evaluate(async () => {
        const { createContext, softmax } = self.crosshead;
        const pending = await self.pending;
        const lost = await self.context.lost;
        const fresh = await softmax(self.context.tensor([1, 2]))
          .data()
          .then(
            () => 'answered',
            (error) => error.name,
          );
        const context = await createContext({ backend: 'webgpu' });
        const p = [...(await softmax(context.tensor([2, 1, 0.1, 0, 3, -1], [2, 3])).data())];
        const [asked, again] = [await self.asked, await self.head.predict([1, -2, 0.5, 3])];
        const moved = self.head.context !== self.before && self.head.context.backend;
        return { pending, lost: lost.reason, fresh, p, asked, again, moved };
      });
      expect(after.pending, `crash ${round}`).toEqual(Array(6).fill('DeviceLostError'));
      expect(after.lost).toBe('unknown');
      expect(after.fresh).toBe('DeviceLostError');
      expectClose(after.p, expected, tolerance);
      expect(after, `head, crash ${round}`).toMatchObject({ asked: sure, again: sure, moved: 'webgpu' });
      await page.waitForFunction((n) => self.recovered.length >= n, { timeout: 60_000, polling: 50 }, round);
    }
    await goesOn();
    expect(await page.evaluate(() => self.recovered.length)).toBe(2);
    expect(await stopFit()).toBe('stopped on webgpu, 1');
  }, 240_000);
});
