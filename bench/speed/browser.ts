// Runs the benchmark in a headless browser, and goes on in another one where a contender took the page with it.
import type { Page } from 'puppeteer';
import { type Bench, withBench } from '../serve.mjs';
import { defaults, hung } from './run.ts';
import type { BenchEvent, Measurement, Settings } from './types.ts';

type Running = Extract<BenchEvent, { type: 'running' }>;
type Tell = (event: BenchEvent) => void;

/** What WebGPU refuses is a warning on the console, if nobody listens. */
const isWebGpu = (text: string) => /WebGPU|\[Invalid|While (calling|encoding|finishing|validating)/.test(text);

/** Settles when the page is done, or with the pair that it was at when it stopped answering. */
async function measureIn(page: Page, settings: Settings, tell: Tell): Promise<{ at: Running; why: string } | null> {
  const { limit = defaults.limit } = settings;
  const silence = 3 * limit;
  let at: Running | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const stop = (why: string) => (at ? resolve({ at, why }) : reject(new Error(`the page ${why}`)));
      const restart = () => {
        clearTimeout(timer);
        timer = setTimeout(() => stop(`${hung} within ${silence / 1000} s`), silence);
      };
      restart();
      const listen = (event: BenchEvent) => {
        restart();
        if (event.type === 'running') at = event;
        if (event.type === 'measured' && event.measurement.note?.startsWith(hung)) stop(event.measurement.note);
        else tell(event);
      };
      page
        .exposeFunction('tell', listen)
        .then(() => page.evaluate((given) => measureSpeed(given), settings))
        .then(
          () => resolve(null),
          (error) => stop(`failed: ${error.message.split('\n')[0]}`),
        );
    });
  } finally {
    clearTimeout(timer);
  }
}

async function inPage({ url, browser }: Bench, settings: Settings, tell: Tell, warn: (text: string) => void) {
  const page = await browser.newPage();
  page.on('console', (message) => {
    if (['warn', 'error'].includes(message.type()) && isWebGpu(message.text())) warn(message.text().split('\n')[0]);
  });
  await page.goto(`${url}speed/index.html`);
  await page.waitForFunction(() => 'measureSpeed' in globalThis);
  return measureIn(page, settings, tell);
}

/** What is left when the page stopped at a case: it and those after it, without the pairs that were told of. */
function rest(settings: Settings, at: Running, measured: readonly Measurement[]): Settings {
  const cases = settings.cases ?? [];
  const skip = measured.filter((one) => one.case === at.case).map((one) => `${one.case}, ${one.contender}`);
  return { ...settings, cases: cases.slice(cases.indexOf(at.case)), skip };
}

/** @param settings with all cases by name */
export async function runInBrowser(settings: Settings, tell: Tell, warn: (text: string) => void): Promise<void> {
  const measured: Measurement[] = [];
  const note: Tell = (event) => {
    if (event.type === 'measured') measured.push(event.measurement);
    tell(event);
  };
  for (let left: Settings | null = settings; left; ) {
    const given: Settings = left;
    left = await withBench(
      async (bench) => {
        const { cpu, browser, versions } = bench.facts;
        const named: Tell = (event) => {
          if (event.type !== 'start') return note(event);
          note({ ...event, environment: { ...event.environment, runtime: `${browser} on ${cpu}`, versions } });
        };
        const stopped = await inPage(bench, given, named, warn);
        if (!stopped) return null;
        const { at, why } = stopped;
        const measurement = { case: at.case, contender: at.contender, status: 'failed', note: why } as const;
        note({ type: 'measured', measurement });
        return rest(given, at, measured);
      },
      { pytorch: false },
    );
  }
}
