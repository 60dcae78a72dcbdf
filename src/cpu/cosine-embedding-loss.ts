// Twin of shaders/cosine_embedding_loss.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { type EmbeddingLossArrays, embeddingLosses, noAnswer } from './embedding-loss.js';
import { isSign } from './margin.js';
import type { Reducing } from './row-loss.js';
import { spanOf } from './span.js';

const tiny = 1e-12;

/** sqrt(far^2 + 1e-12) */
const lengthOf = (far: number): number => Math.sqrt(far * far + tiny);

export function cosineEmbeddingRows(arrays: EmbeddingLossArrays, rows: Rows, margin: number, reducing: Reducing): void {
  const { input, x2, signs } = arrays;
  const far = (values: Values, start: number) => spanOf(start, rows.classes, (i) => values[i], 2);
  embeddingLosses(arrays, rows, reducing, (r, start) => {
    const [a, b] = [far(input, start), far(x2, start)];
    if (Number.isNaN(a + b) || !isSign(signs![r])) return noAnswer;
    const [lengthA, lengthB] = [lengthOf(a), lengthOf(b)];
    let similarity = 0;
    let apart = 0; // sum of (u - v)^2
    for (let i = start; i < start + rows.classes; i++) {
      const [u, v] = [input[i] / lengthA, x2[i] / lengthB];
      similarity += u * v;
      apart += (u - v) * (u - v);
    }
    const rest = 0.5 * (apart + tiny / (lengthA * lengthA) + tiny / (lengthB * lengthB));
    const same = signs![r] === 1;
    return {
      loss: same ? rest : Math.max(0, similarity - margin),
      slope: (operand, i) => {
        if (!same && similarity < margin) return 0;
        const units = [input[i] / lengthA, x2[i] / lengthB];
        const [own, other] = operand === 1 ? [units[1], units[0]] : units;
        const turn = similarity > 0 ? other - own + rest * own : other - similarity * own;
        const slope = turn / (operand === 1 ? lengthB : lengthA);
        return same ? -slope : slope;
      },
    };
  });
}
