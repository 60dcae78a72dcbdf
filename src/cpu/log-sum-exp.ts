// Twin of shaders/log_sum_exp.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { logTotal, type RowSum, rowSum } from './row-sum.js';

export function logSumExpRows(logits: Values, sums: Values, rows: Rows): void {
  for (let r = 0; r < rows.count; r++) {
    sums[r] = logSumExp(rowSum(logits, rowStart(rows, r), rows.inner, rows.classes, 1));
  }
}

function logSumExp(row: RowSum): number {
  switch (row.kind) {
    case 'allMasked':
      return Number.NEGATIVE_INFINITY;
    case 'infinite':
      return Number.POSITIVE_INFINITY;
    case 'nan':
      return Number.NaN;
    default:
      return row.maximum + logTotal(row);
  }
}
