// Twin of shaders/binary_cross_entropy.wgsl.

import type { ElementLoss } from './element-loss.js';
import { oddsOf, weighedSoftplus } from './softplus.js';

const isUndefined = (x: number, t: number, p: number): boolean =>
  Number.isNaN(x) || !Number.isFinite(t) || !Number.isFinite(p);

export const binaryCrossEntropyElement: ElementLoss = {
  loss(x, t, p) {
    if (isUndefined(x, t, p)) return Number.NaN;
    return weighedSoftplus(p * t, 1 - t, x);
  },
  derivative(x, t, p) {
    if (isUndefined(x, t, p)) return Number.NaN;
    const odds = oddsOf(x);
    return (1 - t) * odds.own - p * t * odds.other;
  },
};
