// Twin of shaders/focal_loss.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { noAnswer, type Reducing, type RowLossArrays, type RowTerms, rowLosses } from './row-loss.js';
import { isUndefined, logTotal, othersOf, ownOf, rowShares } from './row-sum.js';

export interface FocalLossArrays extends RowLossArrays {
  readonly input: Values; // logits
  readonly targets: Values; // (rows)
  readonly alpha?: Values; // (classes)
}

export function focalLossRows(arrays: FocalLossArrays, rows: Rows, gamma: number, reducing: Reducing): void {
  rowLosses(arrays, rows, reducing, (r, start) => termsOf(arrays, rows, gamma, arrays.targets[r], start));
}

function termsOf(
  { input, alpha }: FocalLossArrays,
  { classes, inner }: Rows,
  gamma: number,
  target: number,
  start: number,
): RowTerms {
  const row = rowShares(input, start, inner, classes, 1);
  if (!(target >= 0 && target < classes) || isUndefined(row)) return noAnswer;
  const x = input[start + target * inner];
  const own = ownOf(row, target, x, 1);
  const total = row.ties + row.rest;
  const p = own / total;
  const missed = othersOf(own, row) / total;
  const surprise = row.maximum - x + logTotal(row); // -log p
  const factor = (alpha?.[target] ?? 1) * missed ** gamma;
  const ratio = p === 0 ? 0 : missed > 0 ? p * (surprise / missed) : 1;
  const steepness = factor * (1 + gamma * ratio);
  return {
    loss: factor === 0 ? 0 : factor * surprise,
    derivative: (c, i) => (c === target ? -missed : ownOf(row, c, input[i], 1) / total) * steepness,
  };
}
