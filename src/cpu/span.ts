// Twin of shaders/lib/span.wgsl: how far the gaps of a row reach together, (sum of |gap|^p)^(1/p).

import { largestFloat } from '../numbers.js';

/** @returns NaN where something is not finite, or a gap is more than a float can hold */
export function spanOf(start: number, count: number, gap: (i: number) => number, p: number): number {
  let most = 0;
  for (let i = start; i < start + count; i++) {
    const size = Math.abs(gap(i));
    if (!(size <= largestFloat)) return Number.NaN;
    if (size > most) most = size;
  }
  if (most === 0) return 0;
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += (Math.abs(gap(i)) / most) ** p;
  return most * sum ** (1 / p);
}

/** The derivative of a span by one of its gaps: sign(gap) (|gap| / far)^(p - 1), 0 at a gap of 0. */
export const spanSlope = (far: number, gap: number, p: number): number =>
  gap === 0 || far === 0 ? 0 : Math.sign(gap) * (Math.abs(gap) / far) ** (p - 1);
