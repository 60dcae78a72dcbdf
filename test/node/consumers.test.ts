// The examples, run as a user would run them: on a page without a bundler, on a page that Vite built, and in Node.
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as esbuild from 'esbuild';
import puppeteer, { type Browser } from 'puppeteer';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserArgs, findBrowser, softwareVulkan } from '../../scripts/browser.mjs';
import { expectClose } from '../support/close.ts';
import * as reference from '../support/reference.ts';
import { consumerProject, root } from './consumers/install.ts';
import { serve } from './consumers/serve.ts';

// What all examples compute.
const logits = [2, 1, 0.1, 0, 3, -1];
const shape = [2, 3];
const probabilities = reference.softmax(logits, shape);
const { loss, gradient } = reference.crossEntropy(logits, shape, [0, 1]);
const tolerance = { relative: 2e-6, absolute: 1e-7 };

const folders: string[] = [];
const project = (...args: Parameters<typeof consumerProject>) => {
  folders.push(consumerProject(...args));
  return folders[folders.length - 1];
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('a page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args: browserArgs() });
  });
  afterAll(() => browser.close());

  /** Opens the page on one backend, and holds what it shows to the reference and its console to silence. */
  async function expectAnswer(address: string, backend: 'webgpu' | 'cpu') {
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    await page.goto(`${address}?backend=${backend}`);
    await page
      .waitForFunction(() => document.querySelector('#answer')?.textContent?.startsWith('{'), { timeout: 20_000 })
      .catch(() => expect(said, 'no answer').toEqual(['an answer']));
    const answer = JSON.parse((await page.$eval('#answer', (element) => element.textContent)) ?? '');
    expect(said).toEqual([]);
    expect(answer.backend).toBe(backend);
    expectClose(answer.probabilities.flat(), probabilities, tolerance, 'probabilities');
    expectClose([answer.loss], loss, tolerance, 'loss');
    expectClose(answer.gradient.flat(), gradient, tolerance, 'gradient');
    await page.close();
  }

  it('without a bundler imports dist/index.js from a static server', async () => {
    const { url, close } = await serve(root);
    await expectAnswer(`${url}examples/static/`, 'webgpu');
    await expectAnswer(`${url}examples/static/`, 'cpu');
    close();
  });

  it('without a bundler imports what npm installed, by the name that an import map gives it', async () => {
    const folder = project();
    const page = readFileSync(join(root, 'examples/static/index.html'), 'utf8');
    const map = { imports: { crosshead: './node_modules/crosshead/dist/index.js' } };
    const html = page
      .replace('<script', `<script type="importmap">${JSON.stringify(map)}</script>\n<script`)
      .replace('../../dist/index.js', 'crosshead');
    writeFileSync(join(folder, 'index.html'), html);
    const { url, close } = await serve(folder);
    await expectAnswer(url, 'webgpu');
    await expectAnswer(url, 'cpu');
    close();
  });

  it('built with esbuild imports the package by its name', async () => {
    const folder = project({ example: 'vite' });
    await esbuild.build({
      absWorkingDir: folder,
      entryPoints: ['main.ts'],
      bundle: true,
      minify: true,
      format: 'esm',
      splitting: true,
      target: 'es2022',
      outdir: 'dist',
      logLevel: 'silent',
    });
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    writeFileSync(join(folder, 'dist/index.html'), html.replace('main.ts', 'main.js'));
    const { url, close } = await serve(join(folder, 'dist'));
    await expectAnswer(url, 'webgpu');
    await expectAnswer(url, 'cpu');
    close();
  });

  it('built with Vite imports the package by its name', async () => {
    const folder = project({ example: 'vite' });
    await build({ root: folder, logLevel: 'error', build: { target: 'es2022' } });
    const { url, close } = await serve(join(folder, 'dist'));
    await expectAnswer(url, 'webgpu');
    await expectAnswer(url, 'cpu');
    close();
  });
});

describe('Node', () => {
  const run = async (folder: string, ...args: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 30_000 });
    return stdout;
  };
  const order = [0, 1, 4, 3].map((i) => probabilities[i].toFixed(4));
  const rows = `row 0: class 0 at ${order[0]}, class 1 at ${order[1]}\nrow 1: class 1 at ${order[2]}, class 0 at ${order[3]}\n`;

  it('predicts on WebGPU through the package webgpu', async () => {
    expect(softwareVulkan() ?? process.env.WEBGPU_ADAPTER, 'a Vulkan driver').toBeTruthy();
    const folder = project({ example: 'node', packages: ['webgpu'] });
    const answer = await run(folder, 'predict.mjs', 'webgpu');
    expect(answer).toMatch(/^WebGPU /);
    expect(answer).toContain(rows);
    expect(await run(folder, 'predict.mjs', 'cpu')).toContain(rows);
  });

  it('computes on the CPU where there is no WebGPU', async () => {
    const answer = await run(project({ example: 'node' }), 'cpu.mjs');
    expect(answer).toMatch(/^There is no WebGPU here/);
    const numbers = [...answer.matchAll(/-?\d+\.\d+/g)].map(Number);
    expectClose(numbers, [...loss, ...gradient], tolerance);
  });
});
