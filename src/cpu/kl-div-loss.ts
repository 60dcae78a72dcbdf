// Twin of shaders/kl_div_loss.wgsl.

import type { ElementLoss } from './element-loss.js';

/** @param logTarget whether exp(t) stands for t, and t for log t */
export function klDivElement(logTarget: boolean): ElementLoss {
  const isUndefined = (x: number, t: number) =>
    Number.isNaN(x) || Number.isNaN(t) || t === Number.POSITIVE_INFINITY || (!logTarget && t < 0);
  const probability = (t: number) => (logTarget ? Math.exp(t) : t);
  return {
    loss(x, t) {
      if (isUndefined(x, t)) return Number.NaN;
      const q = probability(t);
      return q && q * ((logTarget ? t : Math.log(t)) - x);
    },
    derivative: (x, t) => (isUndefined(x, t) ? Number.NaN : -probability(t)),
  };
}
