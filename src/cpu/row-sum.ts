// Twin of shaders/base/row_sum.wgsl, and of row_parts.wgsl, which sums a row in strips: the maximum of a row and the sum of exponentials beside it. Sums are float64.

import type { Values } from '../backend.js';
import { kernels } from './kernels.js';
import { softcapped } from './softcap.js';

export interface RowSum {
  maximum: number;
  /** How many classes equal the maximum. */
  ties: number;
  /** The sum of exp((x - maximum) / temperature) over the others. */
  rest: number;
  kind: RowKind;
  /** exp((x - maximum) / temperature) of each class, where they are at hand: until the next row is looked at. */
  readonly powers?: Float32Array;
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

/** Rows of fewer classes are summed before a kernel has been called. */
const fewest = 64;

/** The same, for loops that take all of a row's shares: where a kernel can make the exponentials, they are at hand. */
export function rowShares(
  logits: Values,
  start: number,
  step: number,
  classes: number,
  temperature: number,
  softcap = 0,
): RowSum {
  const fits = classes >= fewest && step === 1 && logits instanceof Float32Array;
  // Capped logits would be rounded for the kernel, and distances to their maximum with them.
  const kernel = fits && !softcap && kernels.get(logits.buffer);
  const powers = kernel ? kernel.tile(classes) : null;
  if (!kernel || !powers) return rowSum(logits, start, step, classes, temperature, softcap);
  powers.set(logits.subarray(start, start + classes));
  const sums = kernel.sumRows(powers, 1, classes, temperature);
  const [maximum, rest] = sums;
  if (Number.isNaN(rest)) return rowSum(logits, start, step, classes, temperature); // a row without a softmax
  sums[1] = 1;
  kernel.scaledRows(powers, sums, classes, temperature);
  return { maximum, ties: 1, rest, kind: 'plain', powers };
}

/** exp((x - maximum) / temperature) of class c, whose logit is given; 1 for a maximum. */
export const ownOf = (row: RowSum, c: number, logit: number, temperature: number, softcap = 0): number =>
  row.powers ? row.powers[c] : Math.exp((softcapped(logit, softcap) - row.maximum) / temperature);

/** What the others of a class's row sum to, taken from its own side: beside a maximum nothing is subtracted. */
export const othersOf = (own: number, row: RowSum): number =>
  own === 1 ? row.ties - 1 + row.rest : row.ties + row.rest - own;

/** The log-sum-exp; of undefined rows, what their limit is. */
export function logSumExpOf(row: RowSum, temperature: number): number {
  if (row.kind === 'plain') return row.maximum / temperature + logTotal(row);
  return row.kind === 'nan' ? Number.NaN : row.maximum;
}
