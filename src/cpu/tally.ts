// Twin of shaders/tally.wgsl.

import type { Values } from '../backend.js';

/** @param targets tell which rows count, where some may not */
export function tallyRows(
  loss: Values,
  correct: Values,
  targets: Values | undefined,
  totals: Values,
  ignoreIndex: number,
  starts: boolean,
): void {
  let right = 0;
  let rows = 0;
  for (let r = 0; r < correct.length; r++) {
    if (targets?.[r] === ignoreIndex) continue;
    right += correct[r];
    rows++;
  }
  const sums = [rows ? loss[0] * rows : 0, right, rows];
  for (let i = 0; i < 3; i++) totals[i] = (starts ? 0 : totals[i]) + sums[i];
}
