// Twin of shaders/sum_rows.wgsl.

import type { Values } from '../backend.js';

/** The losses of all rows as one number. Dividing by a divisor of 0 gives NaN, whatever the sum. */
export function reduceRows(losses: ArrayLike<number>, total: Values, divisor: number): void {
  let sum = 0;
  for (let r = 0; r < losses.length; r++) sum += losses[r];
  total[0] = divisor === 0 ? Number.NaN : sum / divisor;
}
