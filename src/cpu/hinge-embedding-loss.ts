// Twin of shaders/hinge_embedding_loss.wgsl.

import type { ElementLoss } from './element-loss.js';
import { isShort, isSign } from './margin.js';

export const hingeEmbeddingElement = (margin: number): ElementLoss => ({
  loss(x, t) {
    if (Number.isNaN(x) || !isSign(t)) return Number.NaN;
    return t === 1 ? x : Math.max(0, margin - x);
  },
  derivative(x, t) {
    if (Number.isNaN(x) || !isSign(t)) return Number.NaN;
    if (t === 1) return 1;
    return isShort(margin - x) ? -1 : 0;
  },
});
