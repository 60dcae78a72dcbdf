// Twin of shaders/kl_divergence.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { noAnswer, type Reducing, type RowLossArrays, type RowTerms, rowLosses } from './row-loss.js';
import { isUndefined, logTotal, othersOf, ownOf, rowShares } from './row-sum.js';

export interface KlDivergenceArrays extends RowLossArrays {
  readonly input: Values; // logits
  readonly labels: Values; // target probabilities, as the logits
}

export function klDivergenceRows(
  arrays: KlDivergenceArrays,
  rows: Rows,
  temperature: number,
  reducing: Reducing,
): void {
  rowLosses(arrays, rows, reducing, (_, start) => termsOf(arrays, rows, temperature, start));
}

function termsOf(
  { input, labels }: KlDivergenceArrays,
  { classes, inner }: Rows,
  temperature: number,
  start: number,
): RowTerms {
  const row = rowShares(input, start, inner, classes, temperature);
  if (isUndefined(row)) return noAnswer;
  let mass = 0;
  let around = 0; // sum of t (log t + distance)
  for (let c = 0; c < classes; c++) {
    const i = start + c * inner;
    const t = labels[i];
    if (!(t >= 0 && t < Number.POSITIVE_INFINITY)) return noAnswer;
    if (t === 0) continue; // 0 on a masked class adds 0
    mass += t;
    around += t * (Math.log(t) + (row.maximum - input[i]) / temperature);
  }
  const total = row.ties + row.rest;
  return {
    loss: mass * logTotal(row) + around,
    derivative: (c, i) => {
      const own = ownOf(row, c, input[i], temperature);
      const p = own / total;
      // Where p is near 1, mass p - t would leave no digits of a confident row.
      const slope = p > 0.5 ? mass - labels[i] - mass * (othersOf(own, row) / total) : mass * p - labels[i];
      return slope / temperature;
    },
  };
}
