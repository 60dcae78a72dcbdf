// The benchmark's view as a person meets it: chosen, run, cancelled, taken along, by mouse and by keyboard, from a link. Only crosshead
// runs here, on the smallest case; that its figures are right is for others to test, that they are shown for this.
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { axisOf } from '../../page/bench/axis.ts';
import { browserArgs, findBrowser } from '../../scripts/browser.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const settings = 'cases=softmax+256x10&contenders=crosshead-webgpu,crosshead-cpu&budget=20';
const complaints: string[] = [];
const requests: string[] = [];
let server: ViteDevServer;
let browser: Browser;
let page: Page;
let url: string;

const text = (selector: string) => page.$eval(selector, (element) => element.textContent ?? '');
const texts = (selector: string) => page.$$eval(selector, (all) => all.map((element) => element.textContent ?? ''));
const focused = () => page.evaluate(() => document.activeElement?.id);
const nowSays = (words: string) =>
  page.waitForFunction((start) => document.querySelector('#bench-now')?.textContent?.startsWith(start), {}, words);
const checked = (picker: string) =>
  page.$$eval(`${picker} input:checked`, (boxes) =>
    boxes.flatMap((box) => ((box as HTMLInputElement).value === 'on' ? [] : (box as HTMLInputElement).value || [])),
  );

async function visit(hash: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`${url}${hash}`);
  await page.waitForSelector('#bench-start');
  await page.waitForSelector('#bench-device dd');
}

beforeAll(async () => {
  server = await createServer({ root, logLevel: 'error', server: { port: 0, watch: null } });
  await server.listen();
  url = server.resolvedUrls?.local[0] ?? '';
  browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args: browserArgs() });
  page = await browser.newPage();
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
  page.on('console', (message) => {
    if (!['log', 'debug', 'info'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(() => expect(complaints.splice(0)).toEqual([]));

test.each(['log', 'linear'] as const)('a %s axis holds all times, also those that the clock calls 0', (scale) => {
  const axis = axisOf([0, 0.03, 0.1, 7], scale)!;
  expect(axis.at(0)).toBe(0);
  expect(axis.at(0.1)).toBeGreaterThan(axis.at(0.03));
  expect(axis.at(7)).toBe(1);
  expect(axis.ticks).toEqual(scale === 'log' ? [0.01, 0.1, 1] : [0, 2, 4, 6]);
  expect(axisOf([0, 0], scale)).toBeUndefined();
});

test('its code is loaded when it is opened, from the nav, and the live head stays', async () => {
  const isBench = (address: string) => /page\/bench|bench\/speed/.test(address);
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('#accuracy')?.textContent?.includes('read right'));
  expect(requests.filter(isBench)).toEqual([]);
  await page.focus('#views a[href="#benchmark"]');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#bench-start');
  expect(requests.filter(isBench)).not.toEqual([]);
  expect(await page.title()).toBe('crosshead: benchmark');
  expect(await texts('#views [aria-current]')).toEqual(['Benchmark']);
  expect(await page.$eval('#pad', (pad) => pad.checkVisibility())).toBe(false);
  await page.goBack();
  await page.waitForFunction(() => document.querySelector('#pad')?.checkVisibility());
});

test('a link holds what is chosen, and is written anew when that changes', async () => {
  await visit(`#benchmark?${settings}&time=endToEnd&scale=linear`);
  expect(await checked('#bench-cases .line:not(:first-child) .checks')).toEqual(['softmax 256x10']);
  expect(await checked('#bench-contenders .checks')).toEqual(['crosshead-webgpu', 'crosshead-cpu']);
  const radios = await page.$$eval('#bench-results :checked', (all) =>
    all.map((one) => (one as HTMLInputElement).value),
  );
  expect(radios).toEqual(['endToEnd', 'linear']);
  expect(await text('#bench-plan')).toMatch(/^2 pairs /);
  // All shapes of an operation by one checkbox; then none, by that for all.
  await page.$$eval('#bench-cases .line > .whole input', (wholes) => (wholes[1] as HTMLElement).click());
  expect(new URL(page.url()).hash).toContain('cases=softmax+1x1000,softmax+64x1000,');
  await page.$$eval('#bench-cases .line > .whole input', (wholes) => {
    for (let i = 0; i < 2; i++) (wholes[0] as HTMLElement).click();
  });
  expect(await page.$eval('#bench-start', (button) => (button as HTMLButtonElement).disabled)).toBe(true);
  expect(await text('#bench-plan')).toMatch(/^Choose/);
});

test('runs by keyboard alone, and shows bars, figures, errors and the device', async () => {
  await visit(`#benchmark?${settings}`);
  await page.focus('#views a:last-child');
  for (let i = 0; i < 3 && (await focused()) !== 'bench-start'; i++) await page.keyboard.press('Tab');
  expect(await focused()).toBe('bench-start');
  await page.keyboard.press('Enter');
  await nowSays('Finished');
  expect(await focused()).toBe('bench-start');
  expect(await texts('.time-value')).toEqual(Array(2).fill(expect.stringMatching(/^[\d.,]+ ms$/)));
  const widths = await page.$$eval('.time-bar', (bars) => bars.map((bar) => bar.getBoundingClientRect().width));
  expect(Math.min(...widths)).toBeGreaterThan(2);
  for (const contender of ['crosshead-webgpu', 'crosshead-cpu']) {
    const cells = await texts(`tr[data-contender=${contender}] td`);
    expect(cells[0]).toMatch(/^[\d.,]+$/);
    expect(cells[1]).toMatch(/^[\d.,]+ – [\d.,]+$/);
    expect(cells[2]).toMatch(/^[\d.,]+$/);
    expect(Number(cells[5])).toBeLessThan(1e-5);
  }
  expect(await text('#bench-device')).toMatch(/Chrome\/.*WebGPU adapter.*crosshead \d/);
  const isSoftware = (await text('#bench-device')).includes('in software');
  expect(await page.$eval('#bench-software', (notice) => notice.checkVisibility())).toBe(isSoftware);
  const before = await texts('.time-value');
  await page.$eval('[name=bench-time][value=endToEnd]', (radio) => (radio as HTMLElement).click());
  expect(await texts('.time-value')).not.toEqual(before);
});

test('is copied as Markdown and as JSON, and shown to be copied where the browser refuses', async () => {
  const copy = (form: string) => page.$eval(`[data-copy=${form}]`, (button) => (button as HTMLElement).click());
  await page.evaluate(() => {
    const clipboard = { writeText: async (words: string) => void Object.assign(globalThis, { copied: words }) };
    Object.defineProperty(navigator, 'clipboard', { value: clipboard, configurable: true });
  });
  const copied = () => page.evaluate(() => (globalThis as unknown as { copied: string }).copied);
  const isCopied = () => page.waitForFunction(() => document.querySelector('#bench-copied')?.textContent === 'Copied.');
  await copy('markdown');
  await isCopied();
  expect(await copied()).toMatch(/\| softmax 256x10 \|/);
  await copy('json');
  await page.waitForFunction(() => (globalThis as unknown as { copied: string }).copied.startsWith('{'));
  const { measurements, environment } = JSON.parse(await copied());
  expect(measurements.map((one: { status: string }) => one.status)).toEqual(['measured', 'measured']);
  expect(environment.versions.crosshead).toMatch(/^\d/);

  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await copy('markdown');
  await page.waitForFunction(() => document.querySelector('#bench-text')?.checkVisibility());
  const selected = await page.evaluate(() => String(getSelection()));
  expect(selected).toMatch(/\| softmax 256x10 \|/);
});

test('is cancelled at once, by keyboard, and can start again', async () => {
  await visit('#benchmark?cases=softmax+256x10,argmax+256x10&contenders=crosshead-cpu&budget=60000');
  await page.focus('#bench-start');
  await page.keyboard.press('Enter');
  await nowSays('softmax 256 × 10');
  expect(await focused()).toBe('bench-cancel');
  expect(await page.$eval('#bench-choice', (choice) => (choice as HTMLFieldSetElement).disabled)).toBe(true);
  const took = await page.$eval('#bench-cancel', (button) => {
    const begin = performance.now();
    (button as HTMLElement).click();
    return new Promise<number>((done) => {
      const look = () =>
        (button as HTMLButtonElement).disabled ? done(performance.now() - begin) : void setTimeout(look);
      look();
    });
  });
  expect(took).toBeLessThan(5000); // of two minutes and more
  await nowSays('Cancelled');
  expect(await focused()).toBe('bench-start');
  await page.$eval('#bench-budget', (input) => {
    (input as HTMLInputElement).value = '20';
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await page.keyboard.press('Enter');
  await nowSays('Finished');
  expect(await texts('tbody [scope=rowgroup]')).toEqual(['softmax 256 × 10', 'argmax 256 × 10']);
});

test.each(['light', 'dark'])('fits a phone in the %s', async (scheme) => {
  await page.setViewport({ width: 360, height: 740 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});
