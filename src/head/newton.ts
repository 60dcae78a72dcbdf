// The best scale of logits: the one number by which they are multiplied, which is 1 / temperature.

import type { Values } from '../backend.js';

/**
 * Value, slope and curvature of a loss over the scale.
 * @param doubt the share of each target that goes to the likeliest other answer; 0 if left out
 */
export type Curve = (scale: number, doubt?: number) => CurvePoint;

export interface CurvePoint {
  readonly loss: number;
  readonly slope: number;
  readonly curvature: number;
}

/** Temperatures are sought between 1 / mostScale and mostScale. */
export const mostScale = 1000;

/** Some rows of a matrix, together. */
export function packRows(values: Values, rows: readonly number[], classes: number): Float32Array {
  const packed = new Float32Array(rows.length * classes);
  for (const [i, row] of rows.entries()) packed.set(values.subarray(row * classes, (row + 1) * classes), i * classes);
  return packed;
}

/** The mean cross-entropy of rows times a scale, which is convex. Rows must be finite at their targets and hold no NaN or +Infinity. */
export const softmaxCurve =
  (logits: Values, targets: ArrayLike<number>, classes: number): Curve =>
  (scale, doubt = 0) => {
    let [loss, slope, curvature] = [0, 0, 0];
    const count = targets.length;
    for (let r = 0; r < count; r++) {
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
      const own = logits[start + targets[r]] - top;
      const wanted = doubt ? own + doubt * (otherBest(logits, start, classes, targets[r]) - top - own) : own;
      const mean = first / sum;
      loss += Math.log(sum) - scale * wanted;
      slope += mean - wanted;
      curvature += second / sum - mean * mean;
    }
    return { loss: loss / count, slope: slope / count, curvature: curvature / count };
  };

/** The largest finite logit of a row but one; that one where there is no other. */
function otherBest(logits: Values, start: number, classes: number, but: number): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) if (c !== but) best = Math.max(best, logits[start + c]);
  return Number.isFinite(best) ? best : logits[start + but];
}

/** The mean binary cross-entropy of elements times a scale. Rows must have a finite loss. */
export const sigmoidCurve =
  (logits: Values, targets: Values): Curve =>
  (scale, doubt = 0) => {
    let [loss, slope, curvature] = [0, 0, 0];
    const count = logits.length;
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(logits[i])) continue; // right at any scale, or the row would not be here
      const target = targets[i] + doubt * (1 - 2 * targets[i]);
      const x = scale * logits[i];
      const e = Math.exp(-Math.abs(x));
      const p = (x < 0 ? e : 1) / (1 + e);
      loss += Math.log1p(e) + Math.max(x, 0) - target * x;
      slope += (p - target) * logits[i];
      curvature += p * (1 - p) * logits[i] ** 2;
    }
    return { loss: loss / count, slope: slope / count, curvature: curvature / count };
  };

/**
 * Newton's method, kept between bounds that close in: where a step would leave them, their middle (in ratio) is tried.
 * @param fallback what is given where all scales are alike, as of logits that are all equal
 */
export async function bestScale(
  curve: (scale: number) => CurvePoint | Promise<CurvePoint>,
  fallback = 1,
): Promise<number> {
  let [low, high] = [1 / mostScale, mostScale];
  const { slope, curvature } = await curve(low);
  if (slope === 0 && curvature === 0) return fallback;
  if (slope >= 0) return low;
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
