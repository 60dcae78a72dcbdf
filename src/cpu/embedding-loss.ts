// Twin of shaders/lib/embedding_loss.wgsl: the frame of every loss of two or three inputs of one shape.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { type Reducing, type RowLossArrays, rowLosses } from './row-loss.js';

export interface EmbeddingLossArrays extends RowLossArrays {
  readonly input: Values; // (rows, features)
  readonly x2: Values; // as the input
  readonly x3?: Values; // as the input
  readonly x2Gradient?: Values;
  readonly x3Gradient?: Values;
  readonly signs?: Values; // (rows), -1 or 1
  readonly similar?: Values; // (rows), 0 or 1
}

/** What one row's loss and derivatives are made of. */
export interface EmbeddingTerms {
  readonly loss: number;
  /** The derivative by element i of an input: 0, 1 or 2. */
  slope(operand: number, i: number): number;
}

/** Of a row without an answer. */
export const noAnswer: EmbeddingTerms = { loss: Number.NaN, slope: () => Number.NaN };

/** @param termsOf of row r, whose features begin at element `start` */
export function embeddingLosses(
  arrays: EmbeddingLossArrays,
  rows: Rows,
  reducing: Reducing,
  termsOf: (r: number, start: number) => EmbeddingTerms,
): void {
  const { x2Gradient, x3Gradient } = arrays;
  rowLosses(arrays, rows, reducing, (r, start, scale) => {
    const terms = termsOf(r, start);
    for (let i = start; i < start + rows.classes; i++) {
      if (x2Gradient) x2Gradient[i] = scale === null ? 0 : terms.slope(1, i) * scale;
      if (x3Gradient) x3Gradient[i] = scale === null ? 0 : terms.slope(2, i) * scale;
    }
    return { loss: terms.loss, derivative: (_, i) => terms.slope(0, i) };
  });
}
