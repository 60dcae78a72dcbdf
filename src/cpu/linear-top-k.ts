// Twin of shaders/linear_top_k.wgsl and linear_scores.wgsl.

import type { Values } from '../backend.js';
import { type HeadArrays, logitsOf, tilesOf } from './linear.js';
import { addLogit, addSums, GrowingSum, sumsOf } from './linear-loss.js';
import { isUndefined, type RowSum } from './row-sum.js';

export type Activation = 'softmax' | 'sigmoid' | 'none';

/** The best of each row lie in `values` and `indices` from the first class on, as logits until all are known. */
export function linearTopKRows(
  head: HeadArrays,
  rows: number,
  k: number,
  temperature: number,
  activation: Activation,
  values: Values,
  indices: Values,
): void {
  const rowSums = Array.from({ length: rows }, () => new GrowingSum());
  const { room, rowBlocks, classBlocks } = tilesOf(head, rows);
  for (const block of classBlocks()) {
    for (const [from, to] of rowBlocks(0, rows)) {
      const logits = room(from, to, block);
      logitsOf(head, from, to, block, logits, true);
      const sums = sumsOf(logits, to - from, block.some, temperature);
      for (let r = from, start = 0; r < to; r++, start += block.some) {
        const summed = sums !== null && addSums(rowSums[r], sums, r - from, temperature);
        // NaN, of which the kernel makes no sum, is ahead of all numbers.
        if (summed && block.first >= k && !(sums[2 * (r - from)] > values[r * k + k - 1])) continue;
        for (let c = 0; c < block.some; c++) {
          const x = Math.fround(logits[start + c]); // logits that are equal in float32 are ties
          if (!summed) addToSum(rowSums[r], x, temperature);
          consider(values, indices, r * k, k, x, block.first + c);
        }
      }
    }
  }
  for (const [r, sum] of rowSums.entries()) {
    const undefinedRow = activation === 'softmax' && isUndefined(sum);
    for (let j = 0, at = r * k; j < k; j++, at++) {
      values[at] = undefinedRow ? Number.NaN : score(values[at], sum, temperature, activation);
      if (undefinedRow) indices[at] = j;
    }
  }
}

function addToSum(sum: GrowingSum, x: number, temperature: number): void {
  if (Number.isNaN(x)) sum.kind = 'nan';
  else if (x !== Number.NEGATIVE_INFINITY) addLogit(sum, x, temperature);
}

/** Puts class c in its place among the k best, `first` and on, if it is one: of c classes that came before, so many as there are. */
function consider(values: Values, indices: Values, first: number, k: number, x: number, c: number): void {
  let at = first + Math.min(c, k);
  if (c >= k && !isAhead(x, values[--at])) return;
  for (; at > first && isAhead(x, values[at - 1]); at--) {
    values[at] = values[at - 1];
    indices[at] = indices[at - 1];
  }
  values[at] = x;
  indices[at] = c;
}

/** Classes come in their order, so that of equal logits the first stays ahead; a NaN is ahead of all numbers. */
const isAhead = (x: number, y: number): boolean => x > y || (Number.isNaN(x) && !Number.isNaN(y));

function score(x: number, sum: RowSum, temperature: number, activation: Activation): number {
  if (activation === 'none') return x / temperature;
  if (activation === 'softmax') return Math.exp((x - sum.maximum) / temperature) / (sum.ties + sum.rest);
  const e = Math.exp(-Math.abs(x) / temperature);
  return (x < 0 ? e : 1) / (1 + e);
}
