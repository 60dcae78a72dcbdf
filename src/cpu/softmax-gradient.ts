// Twin of shaders/softmax_gradient.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';

export function softmaxGradientRows(
  probabilities: Values,
  upstream: Values,
  gradient: Values,
  rows: Rows,
  temperature: number,
): void {
  for (let r = 0; r < rows.count; r++) {
    const start = rowStart(rows, r);
    const end = start + rows.classes * rows.inner;
    let around = 0; // sum of p u but for classes with p above 1/2
    let most = 0; // that of those classes
    for (let i = start; i < end; i += rows.inner) {
      const p = probabilities[i];
      const product = p * upstream[i];
      if (!Number.isFinite(p) || !Number.isFinite(upstream[i])) around = Number.NaN;
      else if (p > 0.5) most += product;
      else around += product;
    }
    for (let i = start; i < end; i += rows.inner) {
      const [p, u] = [probabilities[i], upstream[i]];
      const slope = p > 0.5 ? u * (1 - p) - around - (most - p * u) : u - around - most;
      gradient[i] = (p * slope) / temperature;
    }
  }
}
