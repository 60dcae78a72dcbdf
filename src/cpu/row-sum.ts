// Twin of shaders/base/row_sum.wgsl, and of row_parts.wgsl, which sums a row in strips: the maximum of a row and the sum of exponentials beside it. Sums are float64.

import type { Values } from '../backend.js';
import { softcapped } from './softcap.js';

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

/**
 * The maximum of a row and its kind; what is beside the maximum is left at 0.
 * @param step elements from one class to the next
 */
export function rowMaximum(logits: Values, start: number, step: number, classes: number, softcap = 0): RowSum {
  const row: RowSum = { maximum: Number.NEGATIVE_INFINITY, ties: 0, rest: 0, kind: 'plain' };
  const end = start + classes * step;
  for (let i = start; i < end; i += step) {
    const x = softcapped(logits[i], softcap);
    if (x > row.maximum) row.maximum = x;
    else if (Number.isNaN(x)) row.kind = 'nan';
  }
  if (row.kind === 'nan') return row;
  if (row.maximum === Number.NEGATIVE_INFINITY) row.kind = 'allMasked';
  if (row.maximum === Number.POSITIVE_INFINITY) row.kind = 'infinite';
  return row;
}

/** @param step elements from one class to the next */
export function rowSum(
  logits: Values,
  start: number,
  step: number,
  classes: number,
  temperature: number,
  softcap = 0,
): RowSum {
  const row = rowMaximum(logits, start, step, classes, softcap);
  if (isUndefined(row)) return row;
  const end = start + classes * step;
  for (let i = start; i < end; i += step) {
    const x = softcapped(logits[i], softcap);
    if (x === row.maximum) row.ties++;
    else row.rest += Math.exp((x - row.maximum) / temperature);
  }
  return row;
}

/** log(ties + rest): the log-sum-exp less the maximum. */
export const logTotal = (row: RowSum): number => Math.log1p(row.ties - 1 + row.rest);

/** exp((x - maximum) / temperature), 1 for a maximum; and what the others of its row sum to. */
export interface Share {
  readonly own: number;
  readonly others: number;
}

/** The share of a class, taken from its own side: beside a maximum nothing is subtracted. */
export function shareOf(x: number, row: RowSum, temperature: number): Share {
  if (x === row.maximum) return { own: 1, others: row.ties - 1 + row.rest };
  const own = Math.exp((x - row.maximum) / temperature);
  return { own, others: row.ties + row.rest - own };
}

/** The log-sum-exp; of undefined rows, what their limit is. */
export function logSumExpOf(row: RowSum, temperature: number): number {
  if (row.kind === 'plain') return row.maximum / temperature + logTotal(row);
  return row.kind === 'nan' ? Number.NaN : row.maximum;
}
