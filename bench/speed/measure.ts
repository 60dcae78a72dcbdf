// In the page that browser.ts opens: runs what it is told to, and tells of it.
import { own } from './own.ts';
import { peers } from './peers/all.ts';
import { runBenchmark } from './run.ts';
import type { BenchEvent, Settings } from './types.ts';

declare global {
  /** browser.ts listens to it. */
  var tell: (event: BenchEvent) => Promise<void>;
  var measureSpeed: (settings: Settings) => Promise<void>;
}

globalThis.measureSpeed = async (settings) => {
  for await (const event of runBenchmark(settings, { ...own, ...peers })) await globalThis.tell(event);
};
