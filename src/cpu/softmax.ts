// Twin of shaders/softmax.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { kernels } from './kernels.js';
import { isUndefined, logTotal, rowSum } from './row-sum.js';

export function softmaxRows(logits: Values, result: Values, rows: Rows, temperature: number, log: boolean): void {
  if (kernels.get(logits.buffer)?.softmaxRows(logits, result, rows, temperature, log)) return;
  const { classes, inner: step } = rows;
  for (let r = 0; r < rows.count; r++) {
    const start = rowStart(rows, r);
    const end = start + classes * step;
    const row = rowSum(logits, start, step, classes, temperature);
    const total = row.ties + row.rest;
    const logarithm = logTotal(row);
    for (let i = start; i < end; i += step) {
      const d = (logits[i] - row.maximum) / temperature;
      result[i] = isUndefined(row) ? Number.NaN : log ? d - logarithm : Math.exp(d) / total;
    }
  }
}
