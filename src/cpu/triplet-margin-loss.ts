// Twin of shaders/triplet_margin_loss.wgsl.

import type { Rows } from '../rows.js';
import { type EmbeddingLossArrays, embeddingLosses, noAnswer } from './embedding-loss.js';
import type { Reducing } from './row-loss.js';
import { spanOf, spanSlope } from './span.js';

export interface TripletSettings {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;
}

export function tripletMarginRows(
  arrays: EmbeddingLossArrays,
  rows: Rows,
  { margin, p, eps, swap }: TripletSettings,
  reducing: Reducing,
): void {
  const { input: anchor, x2: positive, x3: negative } = arrays;
  const gaps = {
    anchorPositive: (i: number) => anchor[i] - positive[i] + eps,
    anchorNegative: (i: number) => anchor[i] - negative![i] + eps,
    positiveNegative: (i: number) => positive[i] - negative![i] + eps,
  };
  embeddingLosses(arrays, rows, reducing, (_, start) => {
    const near = spanOf(start, rows.classes, gaps.anchorPositive, p);
    const far = spanOf(start, rows.classes, gaps.anchorNegative, p);
    const swapped = swap ? spanOf(start, rows.classes, gaps.positiveNegative, p) : far;
    // Of the negative's distance, how much is taken from the positive: half where both are equal.
    const share = !swap || swapped > far ? 0 : swapped < far ? 1 : 0.5;
    const short = margin + near - (share > 0 ? swapped : far);
    // Of two infinite distances, none is the longer.
    if (Number.isNaN(short + swapped + far)) return noAnswer;
    const slopeOf = {
      anchorPositive: (i: number) => spanSlope(near, gaps.anchorPositive(i), p),
      anchorNegative: (i: number) => -(1 - share) * spanSlope(far, gaps.anchorNegative(i), p),
      positiveNegative: (i: number) => -share * spanSlope(swapped, gaps.positiveNegative(i), p),
    };
    return {
      loss: Math.max(0, short),
      slope: (operand, i) => {
        if (short < 0) return 0;
        if (operand === 0) return slopeOf.anchorPositive(i) + slopeOf.anchorNegative(i);
        if (operand === 1) return slopeOf.positiveNegative(i) - slopeOf.anchorPositive(i);
        return -slopeOf.anchorNegative(i) - slopeOf.positiveNegative(i);
      },
    };
  });
}
