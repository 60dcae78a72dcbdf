// Twin of shaders/base/row_loss.wgsl: the frame of every loss with a class axis.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { reduceRows } from './reduce-rows.js';

export interface RowLossArrays {
  readonly loss: Values; // (1) or (rows)
  readonly gradient?: Values; // as the input, which it may overwrite
  readonly sampleWeights?: Values; // (rows)
  readonly upstream?: Values; // (1) or (rows)
}

export interface Reducing {
  /** Whether the losses stay one a row. */
  readonly none: boolean;
  /** What losses are divided by; 0 gives NaN with derivatives 0. */
  readonly divisor: number;
}

/** What one row's loss and derivatives are made of; null where the row is ignored. */
export interface RowTerms {
  readonly loss: number;
  /** By class c, which is element i. */
  derivative(c: number, i: number): number;
}

/** Of a row without an answer. */
export const noAnswer: RowTerms = { loss: Number.NaN, derivative: () => Number.NaN };

/**
 * @param termsOf of row r, which begins at element `start`; `scale` is what its derivatives are multiplied by, null where they are 0
 */
export function rowLosses(
  arrays: RowLossArrays,
  rows: Rows,
  { none, divisor }: Reducing,
  termsOf: (r: number, start: number, scale: number | null) => RowTerms | null,
): void {
  const { loss, gradient, sampleWeights, upstream } = arrays;
  const losses = none ? loss : new Float64Array(rows.count);
  for (let r = 0; r < rows.count; r++) {
    const weight = sampleWeights?.[r] ?? 1;
    const start = rowStart(rows, r);
    const scale = divisor === 0 ? 0 : (weight / divisor) * (upstream?.[none ? r : 0] ?? 1);
    const terms = termsOf(r, start, weight === 0 || divisor === 0 ? null : scale);
    const counts = terms !== null && weight !== 0;
    losses[r] = counts ? weight * terms.loss : 0;
    if (!gradient) continue;
    const { classes, inner } = rows;
    if (counts && divisor !== 0) {
      for (let c = 0, i = start; c < classes; c++, i += inner) gradient[i] = terms.derivative(c, i) * scale;
    } else for (let c = 0, i = start; c < classes; c++, i += inner) gradient[i] = 0;
  }
  if (!none) reduceRows(losses, loss, divisor);
}
