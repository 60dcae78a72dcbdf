// The curves of a training: what came at the end of each epoch, and of the epoch at work the latest.
import type { FitProgress } from '../../src/index.ts';
import { byId } from '../dom.ts';
import { type Lines, makeLineChart, type Point } from '../line-chart.ts';

export interface Curves {
  clear(epochs: number): void;
  add(progress: FitProgress): void;
}

interface Record {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
}

/** @param prefix of the ids of the two figures */
export function makeCurves(prefix: string): Curves {
  const loss = makeLineChart(byId(`${prefix}loss`), 'Loss', 'loss');
  const accuracy = makeLineChart(byId(`${prefix}accuracy`), 'Accuracy', 'accuracy');
  let records: Record[] = [];
  const show = (epochs: number) => {
    loss.show(linesOf(records, 'loss', 'validationLoss'), epochs);
    accuracy.show(linesOf(records, 'accuracy', 'validationAccuracy'), epochs);
  };
  return {
    clear(epochs) {
      records = [];
      show(epochs);
    },
    add({ step, steps, epochs, ...progress }) {
      const epoch = (step / steps) * epochs;
      // What came within an epoch gives way to its end, but in the first, where it is all that there is to see.
      records = records.filter((record) => record.epoch < 1 || Number.isInteger(record.epoch));
      records.push({ ...progress, epoch });
      show(epochs);
    },
  };
}

function linesOf(
  records: readonly Record[],
  training: 'loss' | 'accuracy',
  held: 'validationLoss' | 'validationAccuracy',
): Lines {
  const points = (of: keyof Record) =>
    records.flatMap((record): Point[] => (record[of] === undefined ? [] : [[record.epoch, record[of]]]));
  return { training: points(training), held: points(held) };
}
