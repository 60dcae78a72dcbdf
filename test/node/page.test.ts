// The page as a person meets it: served and built, with mouse, finger and keyboard, in the light and the dark, with and
// without WebGPU. Whatever it says on the console beyond information fails the test in which it says so.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createStaticServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { build, createServer, type ViteDevServer } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { browserArgs, findBrowser } from '../../scripts/browser.mjs';
import { root, textsOfLowContrast, widerThan } from '../support/page.ts';

type Place = [x: number, y: number];

const weights = join(root, 'page/data/digits.safetensors');
const desk = { width: 1180, height: 900 };

const one: Place[] = [
  [0.5, 0.15],
  [0.5, 0.5],
  [0.5, 0.85],
];
const zero: Place[] = Array.from({ length: 25 }, (_, i) => {
  const angle = (i / 24) * 2 * Math.PI;
  return [0.5 - 0.2 * Math.sin(angle), 0.5 - 0.35 * Math.cos(angle)];
});

let browser: Browser;
let page: Page;
const complaints: string[] = [];

async function open(url: string, before?: (page: Page) => Promise<unknown>): Promise<Page> {
  const opened = await browser.newPage();
  opened.on('console', (message) => {
    const quiet = ['log', 'debug', 'info'].includes(message.type());
    if (!quiet) complaints.push(`${message.type()}: ${message.text()}`);
  });
  opened.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
  opened.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  opened.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  await opened.setViewport(desk);
  await before?.(opened);
  await opened.goto(url);
  await opened.waitForFunction(() => document.querySelector('#accuracy')?.textContent?.includes('read right'));
  return opened;
}

const text = (selector: string) => page.$eval(selector, (element) => element.textContent ?? '');
const isShown = (selector: string) => page.$eval(selector, (element) => element.checkVisibility());
const values = () => page.$$eval('.bar-value', (elements) => elements.map((element) => element.textContent));
const answerIs = (digit: string) =>
  page.waitForFunction(
    (wanted) => document.querySelector('#answer')?.textContent === wanted,
    { timeout: 30_000 },
    digit,
  );
const valuesNot = (before: unknown[]) =>
  page.waitForFunction(
    (old) => [...document.querySelectorAll('.bar-value')].map((element) => element.textContent).join() !== old,
    { timeout: 30_000 },
    before.join(),
  );

async function placesOnPad(places: Place[]): Promise<Place[]> {
  await page.$eval('#pad', (element) => element.scrollIntoView({ block: 'center' }));
  const box = await (await page.$('#pad'))?.boundingBox();
  if (!box) throw new Error('the pad has no box');
  return places.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
}

async function drawByMouse(places: Place[], atHalf?: () => Promise<void>): Promise<void> {
  const [first, ...rest] = await placesOnPad(places);
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const [i, place] of rest.entries()) {
    await page.mouse.move(...place, { steps: 3 });
    if (i === Math.floor(rest.length / 2)) await atHalf?.();
  }
  await page.mouse.up();
}

async function press(key: 'Space' | 'Backspace' | 'ArrowDown' | 'ArrowRight', times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await page.keyboard.press(key);
}

async function switchTo(backend: string): Promise<void> {
  await page.click(`#backend-switch input[value=${backend}]`);
  await page.waitForFunction(() => !document.querySelector('#backend-switch:disabled'));
  expect(await text('#problem')).toBe('');
  expect(await page.$eval('body', (body) => body.dataset.backend)).toBe(backend);
}

/** What the training script found, as it wrote it into the file's metadata: "360 of 386". */
async function scriptsFigure(): Promise<string> {
  const bytes = await readFile(weights);
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))));
  return header.__metadata__.testRight;
}

beforeAll(async () => {
  browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args: browserArgs() });
});
afterAll(() => browser?.close());
afterEach(() => expect(complaints.splice(0)).toEqual([]));

describe('the page, served', () => {
  let server: ViteDevServer;
  let url: string;

  beforeAll(async () => {
    // Not watched: a file that somebody saves meanwhile must not reload the page under the test.
    server = await createServer({ root, logLevel: 'error', server: { port: 0, watch: null } });
    await server.listen();
    url = server.resolvedUrls?.local[0] ?? '';
  });
  afterAll(() => server?.close());

  describe('on a desk', () => {
    beforeAll(async () => {
      page = await open(url);
    });
    afterAll(() => page?.close());

    test('says which backend is at work, and why', async () => {
      expect(await text('#backend-name')).toMatch(/^Running on (WebGPU|the CPU)$/);
      expect((await text('#backend-reason')).length).toBeGreaterThan(10);
      expect(await isShown('#no-webgpu')).toBe(false);
      expect(await isShown('#problem')).toBe(false);
    });

    test('counts the test part as the training script did', async () => {
      const figure = await scriptsFigure();
      expect(figure).toMatch(/^3\d\d of 386$/);
      expect(await text('#accuracy')).toContain(`${figure} read right`);
    });

    test('reads a drawn 1, the bars moving while it is drawn', async () => {
      const empty = await values();
      expect(empty).toEqual(Array(10).fill('–'));
      await drawByMouse(one, () => valuesNot(empty).then(() => {}));
      await answerIs('1');
      expect(
        await page.$$eval('.bar.best', (rows) => rows.map((row) => row.querySelector('.bar-digit')?.textContent)),
      ).toEqual(['1']);
    });

    test('reads a drawn 0 after the pad was cleared', async () => {
      await page.click('#clear');
      await answerIs('–');
      await drawByMouse(zero);
      await answerIs('0');
      const scores = (await values()).map((value) => Number.parseFloat(value?.replace(/[<>]/, '') ?? ''));
      expect(Math.abs(scores.reduce((sum, score) => sum + score) - 100)).toBeLessThan(1.5);
    });

    test('tells screen readers the answer once the hand rests', async () => {
      await page.waitForFunction(() =>
        /^Read as 0, score [\d.]+\s%$/.test(document.querySelector('#spoken')?.textContent ?? ''),
      );
    });

    test('switches to the other backend and back; the answers agree', async () => {
      const first = await page.$eval('body', (body) => body.dataset.backend ?? '');
      const accuracy = await text('#accuracy');
      for (const backend of [first === 'cpu' ? 'webgpu' : 'cpu', first]) {
        await switchTo(backend);
        const found =
          /difference of a score .* ([\d.]+ × 10(⁻\d|⁻[¹²³⁴⁵⁶⁷⁸⁹]+)|0) over 386 digits, all 386 best answers equal/;
        expect(await text('#agreement')).toMatch(found);
        expect(await text('#agreement')).toMatch(/^The answers agree/);
        expect(await text('#accuracy')).toBe(accuracy);
        await answerIs('0'); // the drawing, read again
        const checked = await page.$$eval('#backend-switch :checked', (radios) =>
          radios.map((radio) => (radio as HTMLInputElement).value),
        );
        expect(checked).toEqual([backend]);
      }
    });

    test('shows a digit of the test part; the arrows go on', async () => {
      await page.click('[data-index="0"]');
      expect(await text('#picture-source')).toBe('test digit 1, a 0');
      await answerIs('0');
      await press('ArrowRight');
      expect(await text('#picture-source')).toBe('test digit 2, a 1');
      await press('ArrowDown');
      const current = await page.$eval('[aria-current=true]', (tile) => [
        tile === document.activeElement,
        tile.getAttribute('aria-label'),
      ]);
      expect(current[0]).toBe(true);
      expect(current[1]).toMatch(/^Digit 1\d: a \d, read as \d, (right|wrong)$/);
      expect(await page.$$eval('#tiles button', (tiles) => tiles.filter((tile) => tile.tabIndex === 0).length)).toBe(1);
    });

    test('shows the mistakes alone', async () => {
      await page.click('#filter input[value=wrong]');
      const [right, all] = (await scriptsFigure()).split(' of ').map(Number);
      const shown = await page.$$eval('#tiles button', (tiles) => tiles.map((tile) => tile.className));
      expect(shown).toEqual(Array(Math.min(all - right, shown.length)).fill('tile wrong'));
      expect(await text('#page-of')).toBe('Page 1 of 1');
      await page.click('#filter input[value=all]');
    });

    test('keeps the focus where a button goes out', async () => {
      const focused = () => page.evaluate(() => document.activeElement?.id);
      const pageOf = (words: string) => Number(/\d+/.exec(words));
      const goesOut = (selector: string) => page.$eval(selector, (button) => (button as HTMLButtonElement).disabled);
      await drawByMouse(one);
      await page.focus('#clear');
      await page.keyboard.press('Enter');
      expect(await focused()).toBe('pad');
      for (const [turn, other] of [
        ['later', 'earlier'],
        ['earlier', 'later'],
      ]) {
        await page.focus(`#${turn}`);
        const before = await text('#page-of');
        for (let presses = 0; presses < 3; presses++) await page.keyboard.down('Enter'); // held: the first counts
        await page.keyboard.up('Enter');
        expect(Math.abs(pageOf(await text('#page-of')) - pageOf(before))).toBe(1);
        while (!(await goesOut(`#${turn}`))) await page.keyboard.press('Enter');
        expect(await focused()).toBe(other);
      }
    });

    test('a view that is opened from within another has the focus on its link', async () => {
      await page.focus('.routes a');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#train-backend :checked');
      expect(await page.evaluate(() => document.activeElement?.outerHTML)).toMatch(/^<a href="#train" aria-current/);
      await page.click('#views a');
      await page.waitForFunction(() => document.querySelector('#pad')?.checkVisibility());
    });

    test('draws by keyboard, reached by Tab alone', async () => {
      await page.click('#clear');
      await page.focus('#backend-switch :checked');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('pad');
      await press('Space');
      await press('ArrowDown', 15);
      await press('Space');
      await answerIs('1');
      await press('Backspace');
      await answerIs('–');
      expect(await values()).toEqual(Array(10).fill('–'));
    });

    test.each(['light', 'dark'])('can be read in the %s', async (scheme) => {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await drawByMouse(one);
      await answerIs('1');
      await page.click('[data-index="2"]');
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(paper).toBe(scheme === 'light' ? 'rgb(245, 244, 240)' : 'rgb(18, 20, 25)');
      expect(await page.evaluate(textsOfLowContrast)).toEqual([]);
    });
  });

  test('fits a phone, and reads what a finger draws', async () => {
    page = await open(url, (phone) => phone.setViewport({ width: 360, height: 740, isMobile: true, hasTouch: true }));
    expect(await widerThan(page, 360)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    const [first, ...rest] = await placesOnPad(zero);
    const finger = await page.touchscreen.touchStart(...first);
    for (const place of rest) await finger.move(...place);
    await finger.end();
    await answerIs('0');
    await page.close();
  });

  test.each([
    [
      'no navigator.gpu',
      'this browser does not offer it',
      () => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }),
    ],
    [
      'no adapter',
      'the browser knows it, but finds no graphics adapter for it',
      () => Object.assign(GPU.prototype, { requestAdapter: async () => null }),
    ],
  ])('says plainly that there is no WebGPU (%s), and reads on the CPU', async (_, why, take) => {
    page = await open(url, (bare) => bare.evaluateOnNewDocument(take));
    expect(await text('#backend-name')).toBe('Running on the CPU');
    expect(await isShown('#no-webgpu')).toBe(true);
    expect(await text('#no-webgpu')).toContain(`No WebGPU here: ${why}.`);
    expect(await text('#accuracy')).toContain(`${await scriptsFigure()} read right`);
    await drawByMouse(zero);
    await answerIs('0');
    await page.click('#backend-switch input[value=webgpu]');
    await page.waitForFunction(() => document.querySelector('#problem')?.checkVisibility());
    expect(await text('#problem')).toMatch(/The page stays on the CPU\.$/);
    expect(await page.$eval('#backend-switch input[value=cpu]', (radio) => (radio as HTMLInputElement).checked)).toBe(
      true,
    );
    await page.close();
  });

  test('continues on the CPU when the GPU is lost', async () => {
    page = await open(url, (lossy) =>
      lossy.evaluateOnNewDocument(() => {
        const request = GPUAdapter.prototype.requestDevice;
        GPUAdapter.prototype.requestDevice = async function (...options) {
          const device = await request.apply(this, options);
          addEventListener('lose-the-gpu', () => device.destroy());
          return device;
        };
      }),
    );
    await switchTo('webgpu');
    await drawByMouse(zero);
    await answerIs('0');
    // While digit 2, a 1, is being read.
    await page.evaluate(() => {
      document.querySelector<HTMLElement>('[data-index="1"]')!.click();
      dispatchEvent(new Event('lose-the-gpu'));
    });
    await page.waitForFunction(
      () => document.body.dataset.backend === 'cpu' && !document.querySelector('#backend-switch:disabled'),
    );
    expect(await text('#problem')).toMatch(/^The GPU was lost \(.+\)\. The page continues on the CPU\.$/);
    await answerIs('1');
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute('data-index') ?? document.activeElement?.getAttribute('value'),
      );
    expect(await focused()).toBe('1'); // though the digits were read, and shown, anew
    await switchTo('webgpu');
    await page.evaluate(() => dispatchEvent(new Event('lose-the-gpu')));
    await page.waitForFunction(() => document.body.dataset.backend === 'cpu');
    await page.waitForSelector('#backend-switch:enabled');
    expect(await focused()).toBe('cpu');
    await page.click('#clear');
    await drawByMouse(zero);
    await answerIs('0');
    await page.close();
  });
});

describe('the page, built', () => {
  let folder: string;
  let server: Server;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crosshead-page-'));
    await build({ root, mode: 'page', logLevel: 'error', build: { outDir: folder, emptyOutDir: true } });
    server = serveStatically(folder);
    await new Promise<void>((listening) => server.listen(0, listening));
  });
  afterAll(async () => {
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('works from any folder of a static server, on both backends', async () => {
    page = await open(`http://localhost:${(server.address() as AddressInfo).port}/some/where/`);
    expect(await text('#accuracy')).toContain(`${await scriptsFigure()} read right`);
    await drawByMouse(one);
    await answerIs('1');
    for (const backend of ['webgpu', 'cpu']) await switchTo(backend);
    expect(await text('#agreement')).toMatch(/^The answers agree/);
    await page.close();
  });
});

test('the training script writes the same file again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crosshead-weights-'));
  const again = join(folder, 'again.safetensors');
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'scripts/train-digits.mjs'), again]);
  expect(stdout).toContain(`test part:     ${await scriptsFigure()}, `);
  expect((await readFile(again)).equals(await readFile(weights))).toBe(true);
  await rm(folder, { recursive: true });
});

function serveStatically(folder: string): Server {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
  return createStaticServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
      .replace('/some/where/', '/')
      .replace(/\/$/, '/index.html');
    const bytes = await readFile(join(folder, path)).catch(() => null);
    response.writeHead(bytes ? 200 : 404, { 'content-type': types[extname(path)] ?? 'application/octet-stream' });
    response.end(bytes);
  });
}
