// The visitor's own images as a person meets them: drawn shapes, files, the clipboard, the camera; what is trained, told apart and
// refused as unknown; the head as a file; and files that are not what they say.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ElementHandle } from 'puppeteer';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { depth, extract } from '../../page/images/extractor.ts';
import { side } from '../../page/images/planes.ts';
import { generator } from '../../page/random.ts';
import { downloadOf, root, type ServedPage, servePage, textsOfLowContrast, widerThan } from '../support/page.ts';

let served: ServedPage;
let folder: string;
let saved: Buffer;

const fileInput = (label: string) =>
  served.page.waitForSelector(`::-p-xpath(//label[contains(., "${label}")]/input)`) as Promise<
    ElementHandle<HTMLInputElement>
  >;
const give = async (label: string, ...names: string[]) =>
  (await fileInput(label)).uploadFile(...names.map((name) => join(folder, name)));
const write = (name: string, bytes: string | Uint8Array) => writeFile(join(folder, name), bytes);
const answer = () => served.text('#images-answer');

/** Presses a button of step 3, and waits until its picture is read. */
async function read(button: string): Promise<string> {
  await served.page.$eval('#images-answer', (element) => {
    element.textContent = '';
  });
  await served.click(button);
  await served.says('#images-answer', /./);
  return answer();
}

/** Gives files as a drop or from the clipboard, in the browser. */
const hand = (kind: 'drop' | 'paste', selector: string, name: string) =>
  served.page.$eval(
    selector,
    async (element, kind, name) => {
      const canvas = new OffscreenCanvas(30, 20);
      canvas.getContext('2d')!.fillRect(3, 3, 9, 9);
      const data = new DataTransfer();
      data.items.add(new File([await canvas.convertToBlob()], name, { type: 'image/png' }));
      const options = { bubbles: true, cancelable: true };
      element.dispatchEvent(
        kind === 'drop'
          ? new DragEvent('drop', { ...options, dataTransfer: data })
          : new ClipboardEvent('paste', { ...options, clipboardData: data }),
      );
    },
    kind,
    name,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crosshead-images-'));
  served = await servePage();
  await served.page.evaluateOnNewDocument(() => {
    if (!globalThis.MediaDevices) return; // about:blank
    const tracks: MediaStreamTrack[] = [];
    Object.assign(globalThis, { tracks });
    const { getUserMedia } = MediaDevices.prototype;
    MediaDevices.prototype.getUserMedia = async function (wanted) {
      const stream = await getUserMedia.call(this, wanted);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  await served.visit('#images');
  await served.page.waitForSelector('#images-samples');
});
afterAll(async () => {
  await served?.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => expect(served.complaints.splice(0)).toEqual([]));

test('the extractor gives the same few hundred numbers of the same picture, finite for any', () => {
  const random = generator(7);
  const noise = Uint8ClampedArray.from({ length: 4 * side * side }, () => 256 * random());
  const features = extract(noise);
  expect(features.length).toBe(depth);
  expect(extract(noise.slice())).toEqual(features);
  for (const value of [0, 255]) {
    const plain = extract(new Uint8ClampedArray(4 * side * side).fill(value));
    expect(plain.every(Number.isFinite)).toBe(true);
    expect(plain).not.toEqual(features);
  }
  expect(() => extract(new Uint8ClampedArray(4))).toThrow(RangeError);
});

test('a picture turned by a quarter keeps the waves of its edges', () => {
  const picture = (ink: (x: number, y: number) => boolean) =>
    Uint8ClampedArray.from({ length: 4 * side * side }, (_, i) =>
      ink((i >> 2) % side, Math.floor((i >> 2) / side)) ? 40 : 220,
    );
  const wedge = (x: number, y: number) => x > 15 && y > 10 && x + 2 * y < 90;
  const upright = extract(picture(wedge));
  const turned = extract(picture((x, y) => wedge(y, side - 1 - x)));
  const waves = (features: Float32Array) => features.subarray(138 + 144, 138 + 154);
  expect(waves(upright).some((value) => value > 0.3)).toBe(true);
  waves(upright).forEach((value, k) => {
    expect(waves(turned)[k]).toBeCloseTo(value, 2);
  });
});

test('drawn shapes: trained in seconds, told apart; what is none of them is unknown', async () => {
  const { page, text, texts, click } = served;
  expect(await page.$eval('#images-train', (button) => (button as HTMLButtonElement).disabled)).toBe(true);
  const before = served.requests.length;
  await click('#images-samples');
  await served.says('#images-said', /^Added 96 pictures\.$/);
  expect(await texts('.class-count')).toEqual(Array(4).fill('24 pictures'));
  expect(await text('#images-plan')).toBe('96 pictures of 4 classes.');
  await page.focus('#images-train');
  await page.keyboard.press('Enter');
  await served.says('#images-now', /^Learnt/);
  const [, seconds, right] = /^Learnt from 72 pictures in ([\d.]+) s\. (\d+) of the 24 /.exec(
    await text('#images-now'),
  )!;
  expect(Number(seconds)).toBeLessThan(20);
  expect(Number(right)).toBeGreaterThanOrEqual(22);
  await served.says(
    '#images-head',
    /^Trained here\. Tells apart circle, square, triangle, star; says “unknown” below \d/,
  );

  await click('[name=images-unknown][value=never]');
  await served.says('#images-head', /never says “unknown”/);
  const names = ['circle', 'square', 'triangle', 'star'];
  const shapes: string[] = [];
  for (let i = 0; i < 12; i++) shapes.push(await read('#images-shape'));
  expect(shapes.filter((name, i) => name === names[i % 4]).length).toBeGreaterThanOrEqual(11);
  expect(names).toContain(await read('#images-stranger'));
  await click('[name=images-unknown][value=sometimes]');
  await served.says('#images-answer', /^unknown$/);
  expect(await text('#images-answer-detail')).toMatch(/^none of its classes; the nearest is \w+, [\d.]+\s%, below the/);
  const strangers: string[] = [];
  for (let i = 0; i < 12; i++) strangers.push(await read('#images-stranger'));
  expect(strangers.filter((name) => name === 'unknown').length).toBeGreaterThanOrEqual(10);
  expect(await page.$$('.bar.best')).toEqual(strangers.at(-1) === 'unknown' ? [] : [expect.anything()]);
  // Nothing leaves the page: what it asks for is its own code.
  const asked = served.requests.slice(before).filter((request) => !request.startsWith(`GET ${served.url}`));
  expect(asked).toEqual([]);
});

test('the head is downloaded, and is the same when it is loaded: labels, temperature, the unknown', async () => {
  const { page, text, visit } = served;
  saved = await downloadOf(page, '#images-download');
  await write('my head.safetensors', saved);
  const before = (await text('#images-head')).replace(/^Trained here\./, '');
  await read('#images-shape');
  const first = [await answer(), await text('#images-answer-detail'), ...(await served.texts('#images-bars li'))];
  const picture = await page.$eval('#images-picture', (canvas) => (canvas as HTMLCanvasElement).toDataURL());
  await write('shape.png', Buffer.from(picture.split(',')[1], 'base64'));
  expect(before).toMatch(/temperature 0\.\d+;/);
  expect(before).not.toMatch(/temperature 1\.000;/);

  await visit('#images');
  await give('Load a head', 'my head.safetensors');
  await served.says('#images-head', /^Loaded from my head\.safetensors\./);
  expect((await text('#images-head')).replace(/^Loaded from my head\.safetensors\./, '')).toBe(before);
  await give('Choose a picture', 'shape.png');
  await served.says('#images-answer', /\w/);
  expect(await answer()).toBe(first[0]);
  expect((await downloadOf(page, '#images-download')).equals(saved)).toBe(true);
});

test('a broken head is refused with its reason, and the head before it stays', async () => {
  const { text } = served;
  const before = await text('#images-head');
  const lies = Buffer.from(saved);
  lies.writeBigUInt64LE(2n ** 60n, 0);
  await write('cut.safetensors', saved.subarray(0, saved.length - 7));
  await write('lies.safetensors', lies);
  await write('words.safetensors', 'not a head at all');
  await write('digits.safetensors', await readFile(join(root, 'page/data/digits.safetensors')));
  for (const name of ['cut', 'lies', 'words']) {
    await give('Load a head', `${name}.safetensors`);
    await served.says(
      '#images-head-problem',
      new RegExp(`^“${name}\\.safetensors” was not loaded\\. WeightsFormatError: `),
    );
  }
  await give('Load a head', 'digits.safetensors');
  await served.says('#images-head-problem', /its head takes 64 numbers a picture, this page makes 508\.$/);
  const numbers = 8 + Number(saved.readBigUInt64LE());
  await write('nan.safetensors', Buffer.from(saved).fill(0xff, numbers));
  await give('Load a head', 'nan.safetensors');
  await served.says('#images-head-problem', /^“nan\.safetensors” was not loaded: its weights are not all numbers\.$/);
  expect(await text('#images-head')).toBe(before);
  const last = await answer();
  await give('Choose a picture', 'shape.png');
  await served.says('#images-head-problem', /^$/);
  expect(await answer()).toBe(last);
});

test('pictures come from files, a drop and the clipboard; what is no picture is named', async () => {
  const { page, text, texts } = served;
  await write('notes.png', 'these are only words');
  await write('<b>.txt', 'x');
  await give('Add pictures', 'shape.png', 'notes.png', '<b>.txt');
  await served.says('#images-said', /^Added 1 picture\.$/);
  expect(await text('#images-problem')).toBe(
    '“notes.png” is not a picture that this browser can read. “<b>.txt” is not a picture that this browser can read.',
  );
  await hand('drop', '.class-card:nth-child(2) .thumbs', 'dropped.png');
  await page.waitForFunction(() => document.querySelectorAll('.class-card:nth-child(2) .thumb').length === 1);
  await hand('paste', '.class-card:nth-child(2) .class-name', 'pasted.png');
  await page.waitForFunction(() => document.querySelectorAll('.class-card:nth-child(2) .thumb').length === 2);
  expect(await texts('.class-count')).toEqual(['1 picture', '2 pictures']);
  await hand('drop', '[data-view=images] footer', 'nowhere.png');
  await served.says('#images-problem', /^Drop or paste pictures on a class/);

  // A picture is removed by keyboard, and the focus goes to its neighbour.
  await page.focus('.class-card:nth-child(2) .thumb');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  expect(await texts('.class-count')).toEqual(['1 picture', '1 picture']);
  expect(await page.evaluate(() => document.activeElement?.className)).toBe('thumb');
});

test('classes need names of their own; few pictures are trained on, and it says what is missing', async () => {
  const { page, text, click } = served;
  const rename = async (name: string) => {
    await page.click('.class-card:nth-child(2) .class-name', { count: 3 });
    await page.keyboard.press('Backspace');
    await page.keyboard.type(name);
  };
  await rename('Class 1');
  expect(await text('#images-plan')).toBe('Two classes are called “Class 1”.');
  await rename('');
  expect(await text('#images-plan')).toBe('A class has no name.');
  await rename('<img src=x>');
  await click('#images-train');
  await served.says('#images-now', /^Learnt from 2 pictures in .* None were kept out: /);
  expect(await text('#images-head')).toMatch(/Tells apart Class 1, <img src=x>; never says “unknown”/);
  expect(await page.$eval('#images-unknown', (set) => (set as HTMLFieldSetElement).disabled)).toBe(true);
});

test('the camera is on when asked for, and off when the view is left', async () => {
  const { page, text, click } = served;
  const states = () =>
    page.evaluate(() =>
      (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.map((track) => track.readyState),
    );
  expect(await states()).toEqual([]);
  await click('#images-live');
  await page.waitForFunction(() => document.querySelector('#images-viewfinder')?.checkVisibility());
  await served.says('#images-answer', /^(Class 1|<img src=x>)$/);
  const take = '::-p-xpath(//button[. = "Take a picture"])';
  await page.focus(take);
  await page.keyboard.press('Enter');
  await served.says('.class-count', /^2 pictures$/);
  expect(await states()).toEqual(['live']);
  await click('#images-camera');
  expect(await page.evaluate(() => document.activeElement?.className)).toBe('class-name'); // the button is gone
  await click('#images-camera');
  await page.waitForFunction(() => document.querySelector('#images-viewfinder')?.checkVisibility());
  expect(await states()).toEqual(['ended', 'live']);
  await click('#views a[href="#live"]');
  await page.waitForFunction(() => document.querySelector('#pad')?.checkVisibility());
  await page.waitForFunction(() => !document.querySelector<HTMLVideoElement>('#images-video')!.srcObject);
  expect(await states()).toEqual(['ended', 'ended']);
  // Allowed when nobody waits for it any more.
  await click('#views a[href="#images"]');
  await page.evaluate(() => {
    const { getUserMedia } = MediaDevices.prototype;
    MediaDevices.prototype.getUserMedia = async function (wanted) {
      await new Promise((resolve) => addEventListener('allow', resolve, { once: true }));
      return getUserMedia.call(this, wanted);
    };
  });
  await click('#images-camera');
  await click('#views a[href="#live"]');
  await page.evaluate(() => dispatchEvent(new Event('allow')));
  await page.waitForFunction(() => (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.length === 3);
  await page.waitForFunction(() =>
    (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.every(({ readyState }) => readyState === 'ended'),
  );
  await click('#views a[href="#images"]');
  await page.evaluate(() => {
    MediaDevices.prototype.getUserMedia = async () => {
      throw new DOMException('no', 'NotAllowedError');
    };
  });
  await click('#images-camera');
  await served.says('#images-problem', /^The camera was not allowed\. Files and pasted pictures work without it\.$/);
  expect(await text('#images-camera')).toBe('Camera');
});

test('shapes take the place of untouched classes alone; many pictures stay square, and scroll', async () => {
  const { page, click } = served;
  await page.setViewport({ width: 360, height: 740 });
  await click('#images-add');
  await click('#images-add');
  await page.keyboard.type('my mug');
  await click('#images-samples');
  await served.says('#images-said', /^Added 96 pictures\.$/);
  const names = await page.$$eval('.class-name', (inputs) => inputs.map((input) => (input as HTMLInputElement).value));
  expect(names).toEqual(['Class 1', '<img src=x>', 'my mug', 'circle', 'square', 'triangle', 'star']);
  const { height, width, scrolls } = await page.$eval('.class-card:last-child .thumbs', (list) => {
    const { width, height } = list.querySelector('button')!.getBoundingClientRect();
    return { width, height, scrolls: list.scrollHeight > list.clientHeight };
  });
  expect(height).toBeCloseTo(width, 0);
  expect(scrolls).toBe(true);
});

test.each(['light', 'dark'])('fits a phone and can be read in the %s', async (scheme) => {
  const { page } = served;
  await page.setViewport({ width: 360, height: 740 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  expect(await widerThan(page, 360)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  expect(await page.evaluate(textsOfLowContrast)).toEqual([]);
});
