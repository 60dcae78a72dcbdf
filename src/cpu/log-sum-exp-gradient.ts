// Twin of shaders/log_sum_exp_gradient.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { isUndefined, ownOf, rowShares } from './row-sum.js';

export function logSumExpGradientRows(logits: Values, upstream: Values, gradient: Values, rows: Rows): void {
  const { classes, inner: step } = rows;
  for (let r = 0; r < rows.count; r++) {
    const start = rowStart(rows, r);
    const row = rowShares(logits, start, step, classes, 1);
    const total = row.ties + row.rest;
    for (let c = 0, i = start; c < classes; c++, i += step) {
      const p = ownOf(row, c, logits[i], 1) / total;
      gradient[i] = isUndefined(row) ? Number.NaN : p * upstream[r];
    }
  }
}
