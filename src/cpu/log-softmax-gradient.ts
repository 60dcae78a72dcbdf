// Twin of shaders/log_softmax_gradient.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { isUndefined, rowMaximum } from './row-sum.js';

const logHalf = Math.log(0.5);

export function logSoftmaxGradientRows(
  logProbabilities: Values,
  upstream: Values,
  gradient: Values,
  rows: Rows,
  temperature: number,
): void {
  for (let r = 0; r < rows.count; r++) {
    const start = rowStart(rows, r);
    const end = start + rows.classes * rows.inner;
    let around = 0; // sum of u but for classes with p above 1/2
    let most = 0; // that of those classes
    if (isUndefined(rowMaximum(logProbabilities, start, rows.inner, rows.classes))) around = Number.NaN;
    for (let i = start; i < end; i += rows.inner) {
      if (!Number.isFinite(upstream[i])) around = Number.NaN;
      else if (logProbabilities[i] > logHalf) most += upstream[i];
      else around += upstream[i];
    }
    for (let i = start; i < end; i += rows.inner) {
      const [logP, u] = [logProbabilities[i], upstream[i]];
      const sum = around + most;
      const slope =
        logP > logHalf ? -Math.expm1(Math.min(logP, 87)) * sum - around - (most - u) : u - Math.exp(logP) * sum;
      gradient[i] = slope / temperature;
    }
  }
}
