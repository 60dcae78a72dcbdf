// The binary is what its source gives; and pages that may not use it, or do not have it, compute without.
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import puppeteer, { type Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserArgs, findBrowser } from '../../scripts/browser.mjs';
import { compileWasm } from '../../scripts/build-wasm.mjs';
import { binary, fusedBytes } from '../../src/cpu/simd-binary.ts';
import { root } from './consumers/install.ts';
import { serve } from './consumers/serve.ts';

it('what is committed is what wasm/ compiles to (npm run build:wasm)', async () => {
  const { fused, plain } = await compileWasm();
  // Not the text: deflating may differ from one version of Node to another.
  const both = inflateRawSync(Buffer.from(binary, 'base64'));
  expect(both.subarray(0, fusedBytes).equals(fused)).toBe(true);
  expect(both.subarray(fusedBytes).equals(plain)).toBe(true);
});

describe('a page on the CPU', () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-simd-'));
  beforeAll(async () => {
    writeFileSync(join(folder, 'index.html'), '<!doctype html><link rel="icon" href="data:," />');
    writeFileSync(
      join(folder, 'worker.js'),
      `import { createContext, softmax } from './both/index.js';
      onmessage = async ({ data }) => {
        const context = await createContext({ backend: 'cpu' });
        const p = await softmax(context.tensor(data)).data();
        postMessage({ reason: context.reason, p }, [p.buffer]);
      };`,
    );
    const scripts = readdirSync(join(root, 'dist')).filter((file) => file.endsWith('.js'));
    for (const file of scripts) {
      cpSync(join(root, 'dist', file), join(folder, 'both', file));
      if (file !== 'simd.js') cpSync(join(root, 'dist', file), join(folder, 'alone', file));
    }
    browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args: browserArgs() });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['uses WebAssembly', 'both', "script-src 'self' 'wasm-unsafe-eval'", /with WebAssembly SIMD\.$/],
    [
      'does without where a policy refuses it',
      'both',
      "script-src 'self'",
      /plain JavaScript: CompileError.*Content Security Policy/,
    ],
    ['is whole in index.js alone', 'alone', "script-src 'self' 'wasm-unsafe-eval'", /with WebAssembly SIMD/],
  ])('%s', async (_, library, policy, reason) => {
    const { url, close } = await serve(folder, { 'content-security-policy': policy });
    const page = await browser.newPage();
    await page.goto(url);
    // As text, since Vitest rewrites imports.
    const answer = (await page.evaluate(`(async () => {
      const { createContext, softmax } = await import('${url}${library}/index.js');
      const context = await createContext({ backend: 'cpu' });
      return { reason: context.reason, p: await softmax(context.tensor([0, 0])).array() };
    })()`)) as { reason: string; p: number[] };
    expect(answer.p).toEqual([0.5, 0.5]);
    expect(answer.reason).toMatch(reason);
    await page.close();
    close();
  });

  it('uses WebAssembly in a Worker, to which arrays go and come without a copy', async () => {
    const { url, close } = await serve(folder, { 'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'" });
    const page = await browser.newPage();
    await page.goto(url);
    const answer = await page.evaluate(async () => {
      const worker = new Worker('/worker.js', { type: 'module' });
      const logits = Float32Array.of(0, 0);
      const answered = new Promise<{ reason: string; p: Float32Array }>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
      });
      worker.postMessage(logits, [logits.buffer]);
      const { reason, p } = await answered;
      return { reason, p: [...p], left: logits.length };
    });
    expect(answer).toEqual({ reason: expect.stringMatching(/with WebAssembly SIMD\.$/), p: [0.5, 0.5], left: 0 });
    await page.close();
    close();
  });
});
