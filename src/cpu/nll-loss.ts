// Twin of shaders/nll_loss.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { noAnswer, type Reducing, type RowLossArrays, rowLosses } from './row-loss.js';
import { isUndefined, rowMaximum } from './row-sum.js';

export interface NllLossArrays extends RowLossArrays {
  readonly input: Values; // log-probabilities
  readonly targets: Values; // (rows)
  readonly classWeights?: Values; // (classes)
}

export function nllLossRows(arrays: NllLossArrays, rows: Rows, ignoreIndex: number | null, reducing: Reducing): void {
  const { input, targets, classWeights } = arrays;
  const { classes, inner } = rows;
  rowLosses(arrays, rows, reducing, (r, start) => {
    const target = targets[r];
    if (target === ignoreIndex) return null;
    const known = target >= 0 && target < classes;
    if (!known || isUndefined(rowMaximum(input, start, inner, classes))) return noAnswer;
    const weight = classWeights?.[target] ?? 1;
    return {
      loss: weight === 0 ? 0 : weight * -input[start + target * inner],
      derivative: (c) => (c === target ? -weight : 0),
    };
  });
}
