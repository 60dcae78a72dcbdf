// Twin of shaders/linear_top_k.wgsl and linear_scores.wgsl.

import type { Values } from '../backend.js';
import { type HeadArrays, logitsOf, tilesOf } from './linear.js';
import { addLogit, addSums, sumsOf } from './linear-loss.js';
import { isUndefined, type RowSum, shareOf } from './row-sum.js';

export type Activation = 'softmax' | 'sigmoid' | 'none';

/** The best of a row so far, the best first, and its sum. */
interface Row {
  readonly logits: number[];
  readonly classes: number[];
  readonly sum: RowSum & { mass: number; around: number };
}

export function linearTopKRows(
  head: HeadArrays,
  rows: number,
  k: number,
  temperature: number,
  activation: Activation,
  values: Values,
  indices: Values,
): void {
  const found = Array.from({ length: rows }, (): Row => {
    const sum = { maximum: Number.NEGATIVE_INFINITY, ties: 0, rest: 0, kind: 'allMasked', mass: 0, around: 0 } as const;
    return { logits: [], classes: [], sum: { ...sum } };
  });
  const { room, rowBlocks, classBlocks } = tilesOf(head, rows);
  for (const block of classBlocks()) {
    for (const [from, to] of rowBlocks(0, rows)) {
      const logits = room(from, to, block);
      logitsOf(head, from, to, block, logits, true);
      const sums = sumsOf(logits, to - from, block.some, temperature);
      for (let r = from, start = 0; r < to; r++, start += block.some) {
        const row = found[r];
        const summed = sums !== null && addSums(row.sum, sums, r - from, temperature);
        // NaN, of which the kernel makes no sum, is ahead of all numbers.
        if (summed && row.logits.length === k && !(sums[2 * (r - from)] > row.logits[k - 1])) continue;
        for (let c = 0; c < block.some; c++) {
          const x = Math.fround(logits[start + c]); // logits that are equal in float32 are ties
          if (!summed) addToSum(row.sum, x, temperature);
          consider(row, x, block.first + c, k);
        }
      }
    }
  }
  for (const [r, row] of found.entries()) {
    const undefinedRow = activation === 'softmax' && isUndefined(row.sum);
    for (let j = 0; j < k; j++) {
      values[r * k + j] = undefinedRow ? Number.NaN : score(row.logits[j], row.sum, temperature, activation);
      indices[r * k + j] = undefinedRow ? j : row.classes[j];
    }
  }
}

function addToSum(sum: Row['sum'], x: number, temperature: number): void {
  if (Number.isNaN(x)) sum.kind = 'nan';
  else if (x !== Number.NEGATIVE_INFINITY) addLogit(sum, x, temperature);
}

function consider({ logits, classes }: Row, x: number, c: number, k: number): void {
  // Classes come in their order, so that of equal logits the first stays ahead; a NaN is ahead of all numbers.
  const ahead = (y: number) => (Number.isNaN(x) ? !Number.isNaN(y) : x > y);
  if (logits.length === k && !ahead(logits[k - 1])) return;
  let at = logits.length;
  while (at > 0 && ahead(logits[at - 1])) at--;
  logits.splice(at, 0, x);
  classes.splice(at, 0, c);
  if (logits.length > k) {
    logits.pop();
    classes.pop();
  }
}

function score(x: number, sum: RowSum, temperature: number, activation: Activation): number {
  if (activation === 'none') return x / temperature;
  if (activation === 'softmax') return shareOf(x, sum, temperature).own / (sum.ties + sum.rest);
  const e = Math.exp(-Math.abs(x) / temperature);
  return (x < 0 ? e : 1) / (1 + e);
}
