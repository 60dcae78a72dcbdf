// The settings as a form, and what it says while a training runs.
import type { FitProgress } from '../../src/index.ts';
import { duration, figure } from '../bench/words.ts';
import type { BackendName } from '../contexts.ts';
import { byId, keepFocus, make, pressOnce, tell } from '../dom.ts';
import { batchSizes, type Settings } from './settings.ts';

export interface Form {
  read(): Settings;
  write(settings: Settings): void;
  /** What can be set and pressed, while a training runs and while none does. */
  running(now: boolean): void;
  /** @param rows of an epoch */
  progress(progress: FitProgress, rows: number): void;
  /** One sentence, which is also spoken. */
  say(words: string): void;
}

export function makeForm(): Form {
  const [start, cancel] = [byId<HTMLButtonElement>('train-start'), byId<HTMLButtonElement>('train-cancel')];
  const [epochs, rate] = [byId<HTMLInputElement>('train-epochs'), byId<HTMLInputElement>('train-rate')];
  const [batch, optimizer] = [byId<HTMLSelectElement>('train-batch'), byId<HTMLSelectElement>('train-optimizer')];
  const [fields, backends] = [byId<HTMLFieldSetElement>('train-fields'), byId<HTMLFieldSetElement>('train-backend')];
  const [bar, now] = [byId<HTMLProgressElement>('train-bar'), byId('train-now')];
  pressOnce(start, cancel);
  batch.replaceChildren(...batchSizes.map((size) => make('option', '', String(size))));
  return {
    read: () => ({
      epochs: epochs.valueAsNumber,
      batch: Number(batch.value),
      optimizer: optimizer.value as Settings['optimizer'],
      rate: rate.valueAsNumber,
      backend: backends.querySelector<HTMLInputElement>(':checked')?.value as BackendName,
    }),
    write(settings) {
      epochs.value = String(settings.epochs);
      batch.value = String(settings.batch);
      optimizer.value = settings.optimizer;
      rate.value = String(settings.rate);
      for (const radio of backends.querySelectorAll('input')) radio.checked = radio.value === settings.backend;
    },
    running(yes) {
      const change = () => {
        start.disabled = fields.disabled = backends.disabled = yes;
        cancel.disabled = !yes;
      };
      keepFocus(change, start, cancel);
    },
    progress({ epoch, epochs, step, steps, rowsPerSecond, secondsLeft }, rows) {
      bar.max = steps;
      bar.value = step;
      const speed = `${figure(rowsPerSecond / rows)} epochs a second`;
      now.replaceChildren(
        make('b', '', `Epoch ${epoch} of ${epochs}`),
        ` · ${speed} · ${duration(1000 * secondsLeft)} left`,
      );
    },
    say: (words) => tell(now, byId('train-said'), words),
  };
}
