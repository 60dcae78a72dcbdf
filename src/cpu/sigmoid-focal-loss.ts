// Twin of shaders/sigmoid_focal_loss.wgsl.

import type { ElementLoss } from './element-loss.js';
import { type Odds, oddsOf, weighedSoftplus } from './softplus.js';

const isUndefined = (x: number, t: number): boolean => Number.isNaN(x) || !(t >= 0 && t <= 1);

const missedOf = (t: number, odds: Odds): number => (1 - t) * odds.own + t * odds.other;

/** @param alpha negative: alpha_t is 1 */
export function sigmoidFocalElement(gamma: number, alpha: number): ElementLoss {
  /** alpha_t missed^gamma */
  const factorOf = (t: number, missed: number) => (alpha < 0 ? 1 : alpha * t + (1 - alpha) * (1 - t)) * missed ** gamma;
  return {
    loss(x, t) {
      if (isUndefined(x, t)) return Number.NaN;
      const odds = oddsOf(x);
      const factor = factorOf(t, missedOf(t, odds));
      return weighedSoftplus(factor * t, factor * (1 - t), x);
    },
    derivative(x, t) {
      if (isUndefined(x, t)) return Number.NaN;
      const odds = oddsOf(x);
      const missed = missedOf(t, odds);
      let slope = (1 - t) * odds.own - t * odds.other;
      const turn = (1 - 2 * t) * odds.own * odds.other; // 0 where the logit is too large for what follows
      if (turn !== 0) slope += gamma * weighedSoftplus(t, 1 - t, x) * (turn / missed);
      return factorOf(t, missed) * slope;
    },
  };
}
