// Twin of shaders/lib/row_sum.wgsl: the maximum of a row and the sum of exponentials beside it. Sums are float64.

import type { Values } from '../backend.js';

export interface RowSum {
  maximum: number;
  /** How many classes equal the maximum. */
  ties: number;
  /** The sum of exp((x - maximum) / temperature) over the others. */
  rest: number;
  kind: RowKind;
}

export type RowKind = 'plain' | 'allMasked' | 'infinite' | 'nan';

/** A row without a softmax: every number made of it is NaN. */
export const isUndefined = (row: RowSum): boolean => row.kind !== 'plain';

/** @param step elements from one class to the next */
export function rowSum(logits: Values, start: number, step: number, classes: number, temperature: number): RowSum {
  const row: RowSum = { maximum: Number.NEGATIVE_INFINITY, ties: 0, rest: 0, kind: 'plain' };
  const end = start + classes * step;
  for (let i = start; i < end; i += step) {
    const x = logits[i];
    if (x > row.maximum) row.maximum = x;
    else if (Number.isNaN(x)) row.kind = 'nan';
  }
  if (row.kind === 'nan') return row;
  if (row.maximum === Number.NEGATIVE_INFINITY) row.kind = 'allMasked';
  if (row.maximum === Number.POSITIVE_INFINITY) row.kind = 'infinite';
  if (isUndefined(row)) return row;
  for (let i = start; i < end; i += step) {
    if (logits[i] === row.maximum) row.ties++;
    else row.rest += Math.exp((logits[i] - row.maximum) / temperature);
  }
  return row;
}

/** log(ties + rest): the log-sum-exp less the maximum. */
export const logTotal = (row: RowSum): number => Math.log1p(row.ties - 1 + row.rest);
