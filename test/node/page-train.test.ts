// The training view as a person meets it: ten epochs in the browser, what came of them, a head to draw for and to take along.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import about from '../../page/data/digits.json';
import { extract } from '../../page/features.ts';
import { ClassificationHead, createContext } from '../../src/index.ts';
import { downloadOf, root, type ServedPage, servePage, textsOfLowContrast, widerThan } from '../support/page.ts';

declare const devices: GPUDevice[]; // in the page: all that it was given

let served: ServedPage;
const { from, to } = about.testPart;
const digits = to - from;

const number = (text: string) => Number.parseFloat(text.replace(/[^\d.]/g, ''));
const isReady = () => served.page.waitForSelector('#train-backend :checked');
const goTo = (hash: string) =>
  served.page.evaluate((next) => {
    location.hash = next;
  }, hash);
const isTrained = () => served.says('#train-now', /^Trained: /);
const setTo = (selector: string, value: string) =>
  served.page.$eval(
    selector,
    (input, next) => {
      (input as HTMLInputElement).value = next;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    },
    value,
  );

/** Rows of the confusion matrix, as it stands on the page. */
const matrix = () =>
  served.page.$$eval('#train-matrix tr:not(:first-child)', (rows) =>
    rows.map((row) => [...row.querySelectorAll('button')].map((cell) => Number(cell.dataset.count))),
  );

beforeAll(async () => {
  served = await servePage();
  await served.page.evaluateOnNewDocument(() => {
    if (!globalThis.GPUAdapter) return;
    const devices: GPUDevice[] = [];
    Object.assign(globalThis, { devices });
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...options) {
      const device = await request.apply(this, options);
      addEventListener('lose-the-gpu', () => device.destroy());
      devices.push(device);
      return device;
    };
  });
});
afterAll(() => served?.close());
afterEach(() => expect(served.complaints.splice(0)).toEqual([]));

test('ten epochs on the CPU, by keyboard, read 96 % of strangers’ digits after a few seconds', async () => {
  const { page, visit, text, focused } = served;
  await visit('#train?backend=cpu');
  await isReady();
  await page.focus('#views a:last-child');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('train-start');
  await page.keyboard.press('Enter');
  await isTrained();
  expect(await focused()).toBe('train-start');
  expect(await text('#train-said')).toMatch(/^Trained: 10 epochs in \d+\.\d\d s, 9[6-9]\.\d\s% of strangers’ digits/);
  const [right, seconds, speed, numbers] = await served.texts('#train-stats dd');
  expect(number(right)).toBeGreaterThanOrEqual(96);
  expect(number(seconds)).toBeLessThan(10);
  expect(number(speed)).toBeCloseTo(10 / number(seconds), 0);
  expect(numbers).toBe('7,130');
  await page.waitForFunction(() => document.querySelectorAll('#train-loss .dot-held').length === 10);
  const path = await page.$eval('#train-accuracy .line-training', (line) => line.getAttribute('d') ?? '');
  expect(path.match(/[ML]/g)!.length).toBeGreaterThanOrEqual(10);
  expect(await text('#train-accuracy figcaption')).toMatch(/training 9\d\.\d|100\.0.*kept out 9\d\.\d/);
});

test('the confusion matrix counts every digit, and its cells open, by mouse and by keyboard', async () => {
  const { page, text, texts, click } = served;
  const counts = await matrix();
  expect(counts.flat().reduce((sum, count) => sum + count)).toBe(digits);
  const onDiagonal = counts.reduce((sum, row, c) => sum + row[c], 0);
  expect(number((await texts('#train-stats dd'))[0])).toBeCloseTo((100 * onDiagonal) / digits, 1);
  const worst = Math.max(...counts.flatMap((row, truth) => row.filter((_, answer) => answer !== truth)));
  const opened = () =>
    page.$$eval('#train-cell-digits button', (tiles) => tiles.map((tile) => tile.getAttribute('aria-label')));
  const open = async () => page.$eval('.cell[aria-pressed=true]', (cell) => ({ ...(cell as HTMLElement).dataset }));
  expect(Number((await open()).count)).toBe(worst); // the largest mistake is open from the start

  await page.focus('.cell[data-truth="3"][data-answer="3"]');
  for (const key of ['ArrowLeft', 'ArrowDown', 'ArrowRight', 'Enter'] as const) await page.keyboard.press(key);
  expect(await open()).toMatchObject({ truth: '4', answer: '3' });
  await click('.cell[data-truth="3"][data-answer="3"]');
  expect(await text('#train-cell-title')).toBe(`3 read as 3, which is right: ${counts[3][3]} digits`);
  const labels = await opened();
  expect(labels.length).toBe(counts[3][3]);
  expect(labels.every((label) => /: a 3, read as 3, right$/.test(label ?? ''))).toBe(true);
  expect(
    await page.$$eval('.cell', (cells) => cells.filter((cell) => (cell as HTMLElement).tabIndex === 0).length),
  ).toBe(1);
  const recall = await texts('#train-classes tr:nth-child(4) td:nth-child(3)');
  const threes = counts[3].reduce((sum, count) => sum + count);
  expect(number(recall[0])).toBeCloseTo((100 * counts[3][3]) / threes, 1);

  await click('#train-cell-digits button');
  await served.says('#train-answer', /^3$/);
  expect(await text('#train-picture-source')).toMatch(/^test digit \d+, a 3$/);
});

test('calibration: two diagrams, the temperature, and a smaller loss', async () => {
  expect(await served.texts('.reliability strong')).toEqual(['Before', 'After calibration']);
  const said = await served.text('#train-calibration');
  const [, temperature, before, after] = /divided by ([\d.]+)\. .* ([\d.]+) → ([\d.]+)\./.exec(said)!.map(Number);
  expect(temperature).toBeGreaterThan(1);
  expect(after).toBeLessThan(before);
  const discs = await served.page.$$eval('.reliability', (all) =>
    all.map((one) => one.querySelectorAll('.bin').length),
  );
  expect(Math.min(...discs)).toBeGreaterThan(1);
});

test('the head reads what is drawn, and the file that is downloaded is the same head', async () => {
  const { page } = served;
  await page.focus('#train-pad');
  await page.keyboard.press('Space');
  for (let i = 0; i < 15; i++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await served.says('#train-answer', /^1$/);
  expect((await served.texts('#train-bars .best .bar-digit')).join()).toBe('1');

  const bytes = await downloadOf(page, '#train-download');
  using context = await createContext({ backend: 'cpu' });
  using head = await ClassificationHead.load(context, new Blob([new Uint8Array(bytes)]));
  const images = readFileSync(join(root, 'page/data/digits-images.u8.bin')).subarray(64 * from, 64 * to);
  const labels = readFileSync(join(root, 'page/data/digits-labels.u8.bin')).subarray(from, to);
  const features = extract(Float32Array.from(images, (value) => value / about.most));
  const { confusion } = await head.evaluate(features, [...labels]);
  expect(confusion).toEqual(await matrix());
  expect(head.temperature).not.toBe(1);
});

test('is cancelled at once, the page answering meanwhile; the address holds the settings', async () => {
  const { page, text, focused } = served;
  await setTo('#train-epochs', '1000');
  await setTo('#train-optimizer', 'sgd');
  expect(new URL(page.url()).hash).toBe('#train?epochs=1000&optimizer=sgd');
  await setTo('#train-epochs', '');
  expect(new URL(page.url()).hash).toBe('#train?epochs=1000&optimizer=sgd'); // what is no number stays out of it
  await setTo('#train-epochs', '1000');
  await page.focus('#train-start');
  for (let presses = 0; presses < 4; presses++) await page.keyboard.down('Enter'); // held: the first counts
  await page.keyboard.up('Enter');
  await served.says('#train-now', /^Epoch \d+ of 1000 · [\d.,]+ epochs a second · .* left$/);
  expect(await focused()).toBe('train-cancel');
  const { trains, took } = await page.evaluate(async () => {
    const wait = () => new Promise((resolve) => setTimeout(resolve));
    for (let ticks = 0; ticks < 20; ticks++) await wait();
    const trains = document.querySelector('#train-now')?.textContent?.startsWith('Epoch ');
    const begin = performance.now();
    const button = document.querySelector<HTMLButtonElement>('#train-cancel')!;
    button.click();
    while (!button.disabled) await wait();
    return { trains, took: performance.now() - begin };
  });
  expect(trains).toBe(true);
  expect(took).toBeLessThan(5000);
  expect(await text('#train-now')).toMatch(/^Cancelled in epoch \d+ of 1000; nothing of it is kept\.$/);
  expect(await focused()).toBe('train-start');
  expect(await page.$eval('#train-results', (results) => results.checkVisibility())).toBe(true); // of the one before
});

test('a link trains the same on WebGPU; when the GPU is lost, the head goes on on another until one takes its place', async () => {
  const { page, text, texts } = served;
  const last: string[] = [];
  for (const backend of ['cpu', 'webgpu']) {
    await goTo(`train?epochs=1&batch=256&optimizer=adam&rate=0.05&backend=${backend}`);
    await page.waitForSelector(`#train-backend [value=${backend}]:checked`);
    expect(await page.$eval('#train-batch', (select) => (select as HTMLSelectElement).value)).toBe('256');
    await page.$eval('#train-start', (button) => {
      (button as HTMLButtonElement).click();
      document.querySelector<HTMLElement>('.cell')!.focus();
    });
    await isTrained();
    expect(await page.evaluate(() => document.activeElement?.className)).toMatch(/^cell /); // of a new matrix
    last.push(await text('#train-now'));
  }
  const accuracy = (words: string) => words.split(', ')[1];
  expect(accuracy(last[1])).toBe(accuracy(last[0]));
  expect((await texts('#train-stats dt'))[2]).toBe('epochs a second on WebGPU');
  await page.evaluate(() => dispatchEvent(new Event('lose-the-gpu')));
  await page.click('.cell[data-truth="0"][data-answer="0"]');
  await page.click('#train-cell-digits button');
  await served.says('#train-answer', /^0$/);
  expect(await page.evaluate(() => devices.length)).toBe(2);
  await goTo('train?epochs=1&backend=cpu');
  await page.waitForSelector('#train-backend [value=cpu]:checked');
  await page.click('#train-start');
  await isTrained();
  expect(await page.evaluate(async () => (await devices[1].lost).reason)).toBe('destroyed');
});

test('a link that asks for WebGPU, where there is none, says so and is on the CPU', async () => {
  const { page, text } = served;
  await page.evaluate(() => {
    const { requestAdapter } = GPU.prototype;
    GPU.prototype.requestAdapter = async () => null;
    addEventListener('give-back-the-gpu', () => {
      GPU.prototype.requestAdapter = requestAdapter;
    });
  });
  await goTo('train?epochs=2&backend=webgpu');
  await served.says('#train-note', /^No WebGPU here: .* on the CPU all the same, with the same answers\.$/);
  await page.waitForSelector('#train-backend [value=cpu]:checked');
  expect(new URL(page.url()).hash).toBe('#train?epochs=2');
  await page.focus('#train-epochs');
  await page.keyboard.press('Enter');
  await served.says('#train-now', /^Trained: 2 epochs/);
  expect(await served.focused()).toBe('train-start'); // and not nowhere: the field was disabled meanwhile
  expect(await text('#train-note')).toBe('');
  await page.click('#train-backend [value=webgpu]');
  await page.click('#train-start');
  await page.waitForSelector('#train-backend [value=cpu]:checked');
  await served.says('#train-now', /^Trained: 2 epochs/);
  expect(await text('#train-note')).toMatch(/^No WebGPU here/);
  expect(await text('#train-problem')).toBe('');
  await page.evaluate(() => dispatchEvent(new Event('give-back-the-gpu')));
});

test('what an address must not hold is left out', async () => {
  await goTo('constructor');
  await served.page.waitForFunction(() => document.querySelector('#pad')?.checkVisibility());
  await goTo('train?epochs=-3&batch=7&optimizer=evil&rate=NaN&backend=abacus');
  await served.page.waitForFunction(() => document.querySelector<HTMLInputElement>('#train-epochs')!.value === '10');
  const values = await served.page.$$eval('#train-fields :is(input, select)', (fields) =>
    fields.map((field) => (field as HTMLInputElement).value),
  );
  expect(values).toEqual(['10', '32', 'adamW', '0.1']);
});

test.each(['light', 'dark'])('fits a phone and can be read in the %s', async (scheme) => {
  const { page } = served;
  await page.setViewport({ width: 360, height: 740 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  expect(await widerThan(page, 360)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  expect(await page.evaluate(textsOfLowContrast)).toEqual([]);
});
