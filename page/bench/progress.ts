// What runs now, how much is behind, and about how long the rest will take.
import type { BenchEvent } from '../../bench/speed/types.ts';
import { byId, make } from '../dom.ts';
import { duration } from './words.ts';

type Running = Extract<BenchEvent, { type: 'running' }>;

export interface Progress {
  start(): void;
  /** @param what the case and the contender, in words */
  running(event: Running, what: string): void;
  end(cancelled: boolean): void;
}

export function makeProgress(): Progress {
  const bar = byId<HTMLProgressElement>('bench-bar');
  const [now, time] = [byId('bench-now'), byId('bench-time')];
  let begun = 0;
  let latest: Pick<Running, 'done' | 'total'> = { done: 0, total: 0 };
  let ticking: ReturnType<typeof setInterval> | undefined;

  const showTime = () => {
    const { done, total } = latest;
    const elapsed = performance.now() - begun;
    const left = done ? `, about ${duration((elapsed / done) * (total - done))} left` : '';
    time.textContent = `${total ? `${done} of ${total} done, ` : ''}${duration(elapsed)}${left}`;
  };
  return {
    start() {
      begun = performance.now();
      latest = { done: 0, total: 0 };
      bar.removeAttribute('value');
      bar.hidden = false;
      byId('bench-progress').hidden = false;
      byId('bench-said').textContent = 'Running.';
      now.textContent = 'Starting …';
      ticking = setInterval(showTime, 500);
      showTime();
    },
    running(event, what) {
      latest = event;
      bar.max = event.total;
      bar.value = event.done;
      now.replaceChildren(make('strong', '', what), `: ${event.phase}`);
    },
    end(cancelled) {
      clearInterval(ticking);
      const { done, total } = latest;
      const elapsed = duration(performance.now() - begun);
      bar.hidden = true;
      now.textContent = cancelled ? `Cancelled after ${elapsed}.` : `Finished in ${elapsed}.`;
      time.textContent = cancelled && done ? `${done} of ${total} were done; their figures are kept.` : '';
      byId('bench-said').textContent = now.textContent;
    },
  };
}
