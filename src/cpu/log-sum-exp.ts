// Twin of shaders/log_sum_exp.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { logSumExpOf, rowShares } from './row-sum.js';

export function logSumExpRows(logits: Values, sums: Values, rows: Rows): void {
  for (let r = 0; r < rows.count; r++) {
    sums[r] = logSumExpOf(rowShares(logits, rowStart(rows, r), rows.inner, rows.classes, 1), 1);
  }
}
