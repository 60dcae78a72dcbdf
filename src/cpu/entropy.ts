// Twin of shaders/entropy.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { noAnswer, type Reducing, type RowLossArrays, type RowTerms, rowLosses } from './row-loss.js';
import { isUndefined, logTotal, ownOf, rowShares } from './row-sum.js';

export interface EntropyArrays extends RowLossArrays {
  readonly input: Values; // logits
}

export function entropyRows(arrays: EntropyArrays, rows: Rows, reducing: Reducing): void {
  rowLosses(arrays, rows, reducing, (_, start) => termsOf(arrays.input, rows, start));
}

function termsOf(logits: Values, { classes, inner }: Rows, start: number): RowTerms {
  const row = rowShares(logits, start, inner, classes, 1);
  if (isUndefined(row)) return noAnswer;
  const total = row.ties + row.rest;
  /** p times f(distance); 0 for a masked class, whose distance is infinite. */
  const weighed = (c: number, i: number, f: (distance: number) => number) => {
    const own = ownOf(row, c, logits[i], 1);
    return own === 0 ? 0 : (own / total) * f(row.maximum - logits[i]);
  };
  let around = 0; // sum of p distance
  for (let c = 0; c < classes; c++) around += weighed(c, start + c * inner, (distance) => distance);
  return { loss: logTotal(row) + around, derivative: (c, i) => weighed(c, i, (distance) => distance - around) };
}
