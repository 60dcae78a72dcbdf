// Twin of shaders/log_sum_exp_gradient.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { isUndefined, rowSum } from './row-sum.js';

export function logSumExpGradientRows(logits: Values, upstream: Values, gradient: Values, rows: Rows): void {
  const { classes, inner: step } = rows;
  for (let r = 0; r < rows.count; r++) {
    const start = rowStart(rows, r);
    const row = rowSum(logits, start, step, classes, 1);
    const total = row.ties + row.rest;
    for (let i = start; i < start + classes * step; i += step) {
      const p = Math.exp(logits[i] - row.maximum) / total;
      gradient[i] = isUndefined(row) ? Number.NaN : p * upstream[r];
    }
  }
}
