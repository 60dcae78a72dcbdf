// The best scale of logits: the one number by which they are multiplied, which is 1 / temperature.

import type { Values } from '../backend.js';

/** Some rows of logits: those that count are named. */
export interface Block {
  readonly logits: Values;
  /** One a row; of sigmoids one a logit. */
  readonly targets: ArrayLike<number>;
  readonly rows: readonly number[];
}

/** Value, slope and curvature of a loss over the scale, summed over `count` terms. */
export class Sums {
  count = 0;
  loss = 0;
  slope = 0;
  curvature = 0;
}

/** Temperatures are sought between 1 / most and most. */
const most = 1000;

/** Adds the cross-entropy of rows times a scale, which is convex. They must be finite at their targets and hold no NaN or +Infinity. */
export function addSoftmax(sums: Sums, { logits, targets, rows }: Block, classes: number, scale: number): void {
  for (const r of rows) {
    const start = r * classes;
    let top = Number.NEGATIVE_INFINITY;
    for (let i = start; i < start + classes; i++) top = Math.max(top, logits[i]);
    let [sum, first, second] = [0, 0, 0]; // moments of what lies below the maximum
    for (let i = start; i < start + classes; i++) {
      if (logits[i] === Number.NEGATIVE_INFINITY) continue;
      const below = logits[i] - top;
      const power = Math.exp(scale * below);
      sum += power;
      first += power * below;
      second += power * below * below;
    }
    const wanted = logits[start + targets[r]] - top;
    const mean = first / sum;
    sums.loss += Math.log(sum) - scale * wanted;
    sums.slope += mean - wanted;
    sums.curvature += second / sum - mean * mean;
  }
  sums.count += rows.length;
}

/** Adds the binary cross-entropy of elements times a scale. */
export function addSigmoid(sums: Sums, { logits, targets, rows }: Block, classes: number, scale: number): void {
  for (const r of rows) {
    for (let i = r * classes; i < (r + 1) * classes; i++) {
      const x = scale * logits[i];
      const e = Math.exp(-Math.abs(x));
      const p = (x < 0 ? e : 1) / (1 + e);
      sums.loss += Math.log1p(e) + Math.max(x, 0) - targets[i] * x;
      sums.slope += (p - targets[i]) * logits[i];
      sums.curvature += p * (1 - p) * logits[i] ** 2;
    }
  }
  sums.count += rows.length * classes;
}

/** Newton's method, kept between bounds that close in: where a step would leave them, their middle (in ratio) is tried. */
export async function bestScale(curve: (scale: number) => Sums | Promise<Sums>): Promise<number> {
  let [low, high] = [1 / most, most];
  if ((await curve(low)).slope >= 0) return low;
  if ((await curve(high)).slope <= 0) return high;
  let scale = 1;
  for (let round = 0; round < 100; round++) {
    const { slope, curvature } = await curve(scale);
    if (slope < 0) low = scale;
    else high = scale;
    let next = scale - slope / curvature;
    if (!(next > low && next < high)) next = Math.sqrt(low * high);
    if (Math.abs(next - scale) <= 1e-12 * scale) return next;
    scale = next;
  }
  return scale;
}
