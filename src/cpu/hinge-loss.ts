// Twin of shaders/hinge_loss.wgsl.

import type { ElementLoss } from './element-loss.js';
import { isShort, isSign } from './margin.js';

export const hingeElement = (margin: number, squared: boolean): ElementLoss => ({
  loss(x, t) {
    if (Number.isNaN(x) || !isSign(t)) return Number.NaN;
    const loss = Math.max(0, margin - t * x);
    return squared ? loss * loss : loss;
  },
  derivative(x, t) {
    if (Number.isNaN(x) || !isSign(t)) return Number.NaN;
    const short = margin - t * x;
    if (!isShort(short)) return 0;
    return squared ? 2 * -t * short : -t;
  },
});
