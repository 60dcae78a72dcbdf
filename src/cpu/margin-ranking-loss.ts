// Twin of shaders/margin_ranking_loss.wgsl.

import type { Rows } from '../rows.js';
import { type EmbeddingLossArrays, embeddingLosses, noAnswer } from './embedding-loss.js';
import { isShort, isSign } from './margin.js';
import type { Reducing } from './row-loss.js';

export function marginRankingRows(arrays: EmbeddingLossArrays, rows: Rows, margin: number, reducing: Reducing): void {
  const { input, x2, signs } = arrays;
  embeddingLosses(arrays, rows, reducing, (r, start) => {
    const t = signs![r];
    const difference = input[start] - x2[start];
    if (Number.isNaN(difference) || !isSign(t)) return noAnswer;
    const short = margin - t * difference;
    return {
      loss: Math.max(0, short),
      slope: (operand) => (isShort(short) ? (operand === 1 ? t : -t) : 0),
    };
  });
}
