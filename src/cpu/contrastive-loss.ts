// Twin of shaders/contrastive_loss.wgsl.

import type { Rows } from '../rows.js';
import { type EmbeddingLossArrays, embeddingLosses, noAnswer } from './embedding-loss.js';
import type { Reducing } from './row-loss.js';
import { spanOf, spanSlope } from './span.js';

export function contrastiveRows(arrays: EmbeddingLossArrays, rows: Rows, margin: number, reducing: Reducing): void {
  const { input, x2, similar } = arrays;
  const gap = (i: number) => input[i] - x2[i];
  embeddingLosses(arrays, rows, reducing, (r, start) => {
    const apart = spanOf(start, rows.classes, gap, 2);
    const kind = similar![r];
    if (Number.isNaN(apart) || (kind !== 0 && kind !== 1)) return noAnswer;
    const far = kind === 1 ? apart : Math.max(0, margin - apart);
    return {
      loss: 0.5 * far * far,
      slope: (operand, i) => {
        const slope = kind === 1 ? gap(i) : -far * spanSlope(apart, gap(i), 2);
        return operand === 1 ? -slope : slope;
      },
    };
  });
}
