// The page, served, in a browser whose camera is a drawing. What it says on the console beyond information is kept as a complaint.
import { fileURLToPath } from 'node:url';
import puppeteer, { type Page } from 'puppeteer';
import { createServer } from 'vite';
import { browserArgs, findBrowser } from '../../scripts/browser.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ServedPage {
  readonly page: Page;
  readonly url: string;
  /** Emptied by whoever looks at them. */
  readonly complaints: string[];
  /** Methods and addresses of all requests. */
  readonly requests: string[];
  /** Opens a view anew. */
  visit(hash: string): Promise<void>;
  text(selector: string): Promise<string>;
  texts(selector: string): Promise<string[]>;
  click(selector: string): Promise<void>;
  focused(): Promise<string | undefined>;
  /** Waits until the text of the element matches. */
  says(selector: string, pattern: RegExp): Promise<void>;
  close(): Promise<void>;
}

export async function servePage(): Promise<ServedPage> {
  // Not watched: a file that somebody saves meanwhile must not reload the page under the test.
  const server = await createServer({ root, logLevel: 'error', server: { port: 0, watch: null } });
  await server.listen();
  const url = server.resolvedUrls?.local[0] ?? '';
  const camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  const browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args: [...browserArgs(), ...camera] });
  const page = await browser.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
  page.on('console', (message) => {
    if (!['log', 'debug', 'info'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  await page.setViewport({ width: 1180, height: 900 });
  return {
    page,
    url,
    complaints,
    requests,
    async visit(hash) {
      await page.goto('about:blank');
      await page.goto(`${url}${hash}`);
    },
    text: (selector) => page.$eval(selector, (element) => element.textContent ?? ''),
    texts: (selector) => page.$$eval(selector, (all) => all.map((element) => element.textContent ?? '')),
    click: (selector) => page.$eval(selector, (element) => (element as HTMLElement).click()),
    focused: () => page.evaluate(() => document.activeElement?.id),
    says: (selector, { source }) =>
      page
        .waitForFunction(
          (s, p) => new RegExp(p).test(document.querySelector(s)?.textContent ?? ''),
          {},
          selector,
          source,
        )
        .then(() => {}),
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** The bytes of the file that the page hands to its visitor when the button is pressed. */
export async function downloadOf(page: Page, button: string): Promise<Buffer> {
  const text = await page.$eval(button, async (element) => {
    const { click } = HTMLAnchorElement.prototype;
    const handed = new Promise<string>((resolve) => {
      HTMLAnchorElement.prototype.click = function () {
        resolve(this.href);
      };
    });
    (element as HTMLElement).click();
    const bytes = new Uint8Array(await (await fetch(await handed)).arrayBuffer());
    HTMLAnchorElement.prototype.click = click;
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  });
  return Buffer.from(text, 'base64');
}

/** In the browser: what reaches beyond a screen of this width. */
export const widerThan = (page: Page, width: number): Promise<string[]> =>
  page.$$eval(
    'body *',
    (elements, most) =>
      elements
        .filter((element) => element.checkVisibility() && !element.closest('svg, pre'))
        .filter((element) => element.getBoundingClientRect().right > most + 0.5)
        .map((element) => element.outerHTML.slice(0, 80)),
    width,
  );

/** In the browser: the texts with less contrast to what lies behind them than WCAG's AA asks (disabled controls are exempt). */
export function textsOfLowContrast(): string[] {
  const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;
  const luminance = () => {
    const linear = [...pen.getImageData(0, 0, 1, 1).data].map((v) =>
      v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const paint = (colour: string) => {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return luminance();
  };
  const behind = (element: Element): number => {
    const over = element.parentElement ? behind(element.parentElement) : paint('white');
    const { backgroundColor } = getComputedStyle(element);
    return backgroundColor === 'rgba(0, 0, 0, 0)' ? over : paint(backgroundColor);
  };
  const low: string[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    if (!own || !element.checkVisibility() || element.closest(':disabled')) continue;
    const [back, front] = [behind(element), paint(getComputedStyle(element).color)];
    const contrast = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
    if (contrast < 4.5) low.push(`${contrast.toFixed(2)}: ${element.textContent?.trim().slice(0, 40)}`);
  }
  return low;
}
