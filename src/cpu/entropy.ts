// Twin of shaders/entropy.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { noAnswer, type Reducing, type RowLossArrays, type RowTerms, rowLosses } from './row-loss.js';
import { isUndefined, logTotal, rowSum } from './row-sum.js';

export interface EntropyArrays extends RowLossArrays {
  readonly input: Values; // logits
}

export function entropyRows(arrays: EntropyArrays, rows: Rows, reducing: Reducing): void {
  rowLosses(arrays, rows, reducing, (_, start) => termsOf(arrays.input, rows, start));
}

function termsOf(logits: Values, { classes, inner }: Rows, start: number): RowTerms {
  const row = rowSum(logits, start, inner, classes, 1);
  if (isUndefined(row)) return noAnswer;
  const total = row.ties + row.rest;
  /** p times f(distance); 0 for a masked class, whose distance is infinite. */
  const weighed = (i: number, f: (distance: number) => number) => {
    const distance = row.maximum - logits[i];
    const own = Math.exp(-distance);
    return own === 0 ? 0 : (own / total) * f(distance);
  };
  let around = 0; // sum of p distance
  for (let c = 0; c < classes; c++) around += weighed(start + c * inner, (distance) => distance);
  return { loss: logTotal(row) + around, derivative: (_, i) => weighed(i, (distance) => distance - around) };
}
