// The view that explains softmax and cross-entropy, as a person meets it. The numbers that it shows are held to float64.
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { browserArgs, findBrowser } from '../../scripts/browser.mjs';
import * as reference from '../support/reference.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const complaints: string[] = [];
let server: ViteDevServer;
let browser: Browser;
let page: Page;
let url: string;

const text = (selector: string) => page.$eval(selector, (element) => element.textContent ?? '');
const numbers = (selector: string) =>
  page.$$eval(selector, (all) => all.map((element) => Number(element.textContent?.replace('−', '-'))));
const lossIs = (words: string) =>
  page.waitForFunction((wanted) => document.querySelector('#explain-loss')?.textContent === wanted, {}, words);
const fact = (list: string, term: string) =>
  page.$$eval(
    `${list} dt`,
    (all, term) => all.find((element) => element.textContent === term)?.nextElementSibling?.textContent ?? '',
    term,
  );
const set = (selector: string, value: string) =>
  page.$eval(
    selector,
    (input, value) => {
      (input as HTMLInputElement).value = value;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    },
    value,
  );

/** The page is loaded once; from then on it is the address that changes. */
async function visit(settings = '?logits=2,1,0.1&truth=0'): Promise<void> {
  await page.goto(`${url}#explain${settings}`);
  await page.waitForSelector('#explain-bins svg');
  await page.waitForSelector('#explain-curve svg');
}

/** What softmax gives is on show, to the digits that are. */
async function expectShown(logits: number[], truth: number, temperature = 1) {
  const p = reference.softmax(
    logits.map((x) => x / temperature),
    [1, 3],
  );
  await lossIs((-Math.log(p[truth])).toFixed(4));
  const shown = await numbers('.explain-share .explain-value');
  for (const [c, share] of shown.entries()) expect(share).toBeCloseTo(p[c], 3);
  const arrows = await numbers('.explain-arrow text');
  for (const [c, g] of arrows.entries()) expect(g).toBeCloseTo((p[c] - Number(c === truth)) / temperature, 3);
}

beforeAll(async () => {
  server = await createServer({ root, logLevel: 'error', server: { port: 0, watch: null } });
  await server.listen();
  url = server.resolvedUrls?.local[0] ?? '';
  browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args: browserArgs() });
  page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
  page.on('console', (message) => {
    if (!['log', 'debug', 'info'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  await page.setViewport({ width: 1180, height: 900 });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(() => expect(complaints.splice(0)).toEqual([]));

test('shows what softmax and cross-entropy give, and follows the hand', async () => {
  await visit();
  await expectShown([2, 1, 0.1], 0);
  await set('#explain-logit-1', '3');
  await page.click('#explain-truth-2');
  await expectShown([2, 3, 0.1], 2);
  await set('#explain-temperature', '2');
  await expectShown([2, 3, 0.1], 2, 2);
  expect(new URL(page.url()).hash).toBe('#explain?logits=2%2C3%2C0.1&truth=2&temperature=2&activation=softmax');
});

test('tells screen readers the loss once the hand rests, and not at every step of a slider', async () => {
  await visit('?logits=2,1,0.1&truth=0');
  await page.waitForFunction(() => document.querySelector('#explain-calibration-said')?.textContent);
  await page.$eval('[data-view=explain]', (view) => {
    const live = ':is([role=status], [role=alert], [aria-live], output):not([aria-live=off])';
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const region = (target as Element).closest(live);
        if (region) document.body.dataset.said = `${document.body.dataset.said ?? ''}${region.textContent};`;
      }
    }).observe(view, { childList: true, subtree: true });
  });
  await set('#explain-logit-0', '3');
  await set('#explain-logit-0', '4');
  await set('#explain-logit-0', '5');
  await expectShown([5, 1, 0.1], 0);
  await page.waitForFunction(() => document.body.dataset.said);
  expect(await page.evaluate(() => document.body.dataset.said)).toBe(`The loss is ${await text('#explain-loss')};`);
});

test('a step goes against the gradient, and lowers the loss', async () => {
  await visit('?logits=2,1,0.1&truth=2');
  await expectShown([2, 1, 0.1], 2);
  const before = Number(await text('#explain-loss'));
  await page.click('#explain-step');
  const p = reference.softmax([2, 1, 0.1], [1, 3]);
  const stepped = [2 - 2 * p[0], 1 - 2 * p[1], 0.1 - 2 * (p[2] - 1)];
  await expectShown(stepped, 2);
  expect(Number(await text('#explain-loss'))).toBeLessThan(before);
  expect(await fact('#explain-facts', 'Sum of the gradient')).toBe('0.000');
  await page.click('#explain-reset');
  await expectShown([2, 1, 0.1], 0);
});

test('each on its own: sigmoids, and the sum of three questions', async () => {
  await visit('?logits=2,-1,0.5&truth=0&activation=sigmoid');
  const given = [2, 1, -0.5].map((x) => 1 / (1 + Math.exp(-x)));
  await lossIs(given.reduce((sum, p) => sum - Math.log(p), 0).toFixed(4));
  expect(await numbers('.explain-share .explain-value')).toEqual([0.881, 0.269, 0.622]);
  expect((await page.$$('#explain-curve .here')).length).toBe(3);
});

test('an address that asks for nonsense shows the first question', async () => {
  await visit('?logits=1,2,x&truth=9&temperature=-1&activation=none');
  await expectShown([2, 1, 0.1], 0);
});

test('calibration finds the temperature that the logits were multiplied by, and changes no answer', async () => {
  await visit();
  const facts = () =>
    Promise.all(
      ['Right answers', 'Calibration error (ECE)', 'Loss'].map((term) => fact('#explain-calibration-facts', term)),
    );
  const [right, error, loss] = await facts();
  await page.click('#explain-calibrate');
  await page.waitForFunction(
    (old) => !document.querySelector('#explain-calibration-facts')?.textContent?.includes(old),
    {},
    error,
  );
  const found = Number(await text('#explain-head-temperature-value'));
  expect(Math.abs(found - 3)).toBeLessThan(0.5);
  const [rightNow, errorNow, lossNow] = await facts();
  expect(rightNow).toBe(right);
  expect(Number.parseFloat(errorNow)).toBeLessThan(Number.parseFloat(error) / 3);
  expect(Number(lossNow)).toBeLessThan(Number(loss));
});

test('goes by keyboard, and its parts have names', async () => {
  await visit();
  await page.focus('#explain-logit-0');
  await page.keyboard.press('ArrowRight');
  await expectShown([2.1, 1, 0.1], 0);
  const nameless = await page.$$eval(
    '[data-view=explain] :is(input, button)',
    (all) =>
      all.filter((one) => {
        const input = one as HTMLInputElement;
        return !(one.ariaLabel || one.textContent?.trim() || input.labels?.[0]?.textContent?.trim());
      }).length,
  );
  expect(nameless).toBe(0);
  const pictures = await page.$$eval('[data-view=explain] svg', (all) =>
    all.map((one) => one.getAttribute('aria-label')),
  );
  expect(pictures).toHaveLength(5);
  expect(pictures.every(Boolean)).toBe(true);
});

test.each(['light', 'dark'])('fits a phone in the %s', async (scheme) => {
  await page.setViewport({ width: 360, height: 740 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});
