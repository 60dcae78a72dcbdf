// Twin of shaders/sum_rows.wgsl.

import type { Values } from '../backend.js';

/** A sum of losses by a divisor; by 0, NaN, whatever the sum. */
export const divided = (sum: number, divisor: number): number => (divisor === 0 ? Number.NaN : sum / divisor);

/** The losses of all rows as one number. */
export function reduceRows(losses: ArrayLike<number>, total: Values, divisor: number): void {
  let sum = 0;
  for (let r = 0; r < losses.length; r++) sum += losses[r];
  total[0] = divided(sum, divisor);
}
