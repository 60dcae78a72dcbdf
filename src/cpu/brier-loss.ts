// Twin of shaders/brier_loss.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { addToMean, centred } from './centred.js';
import { noAnswer, type Reducing, type RowLossArrays, type RowTerms, rowLosses } from './row-loss.js';
import { isUndefined, othersOf, ownOf, type RowSum, rowShares } from './row-sum.js';

export interface BrierLossArrays extends RowLossArrays {
  readonly input: Values; // logits
  readonly targets?: Values; // (rows)
  readonly labels?: Values; // as the logits, in place of targets
}

export function brierLossRows(arrays: BrierLossArrays, rows: Rows, reducing: Reducing): void {
  const { input, targets, labels } = arrays;
  const { classes, inner } = rows;
  rowLosses(arrays, rows, reducing, (r, start) => {
    const target = targets?.[r] ?? 0;
    const row = rowShares(input, start, inner, classes, 1);
    if (!(target >= 0 && target < classes) || isUndefined(row)) return noAnswer;
    const labelOf = (c: number, i: number) => labels?.[i] ?? (c === target ? 1 : 0);
    return termsOf(rows, start, (c, i) => missOf(row, c, input[i], labelOf(c, i)));
  });
}

interface Miss {
  readonly p: number;
  readonly others: number; // 1 - p
  readonly miss: number; // p less the label
}

function missOf(row: RowSum, c: number, x: number, label: number): Miss {
  const own = ownOf(row, c, x, 1);
  const total = row.ties + row.rest;
  const p = own / total;
  const others = othersOf(own, row) / total;
  return { p, others, miss: p > 0.5 ? 1 - label - others : p - label };
}

function termsOf({ classes, inner }: Rows, start: number, missAt: (c: number, i: number) => Miss): RowTerms {
  let loss = 0;
  const mean = { around: 0, most: 0 }; // of the misses
  for (let c = 0; c < classes; c++) {
    const { p, miss } = missAt(c, start + c * inner);
    loss += miss * miss;
    addToMean(mean, miss, p);
  }
  if (!Number.isFinite(loss)) return noAnswer;
  return {
    loss,
    derivative: (c, i) => {
      const { p, others, miss } = missAt(c, i);
      return 2 * p * centred(miss, p, others, mean);
    },
  };
}
