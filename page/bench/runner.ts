// Runs a benchmark that can be left at once: what is still at work on the device is waited for by the next run, not by the page.
import { runBenchmark } from '../../bench/speed/run.ts';
import type { BenchEvent, Settings } from '../../bench/speed/types.ts';
import { openers } from './openers.ts';

/** Of the run before: settles when its last call is over. */
let before: Promise<unknown> = Promise.resolve();

/** The events of a run, up to the one in which `signal` aborts. */
export async function* run(settings: Settings & { signal: AbortSignal }): AsyncGenerator<BenchEvent> {
  const { signal } = settings;
  const aborted = new Promise<null>((leave) => signal.addEventListener('abort', () => leave(null), { once: true }));
  if ((await Promise.race([before.then(() => true), aborted])) === null) return;

  const events = runBenchmark(settings, openers)[Symbol.asyncIterator]();
  for (;;) {
    const next = events.next();
    const event = await Promise.race([next, aborted]);
    if (event === null) {
      before = Promise.allSettled([next, events.return?.(undefined)]);
      return;
    }
    if (event.done) return;
    yield event.value;
  }
}
