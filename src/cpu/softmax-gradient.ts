// Twin of shaders/softmax_gradient.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { addToMean, centred } from './centred.js';

export function softmaxGradientRows(
  probabilities: Values,
  upstream: Values,
  gradient: Values,
  rows: Rows,
  temperature: number,
): void {
  const { classes, inner: step } = rows;
  for (let r = 0; r < rows.count; r++) {
    const start = rowStart(rows, r);
    const end = start + classes * step;
    const mean = { around: 0, most: 0 };
    let large = 0; // how many p are above 1/2; several, as no softmax gives them, leave nothing to keep out of the sum
    for (let i = start; i < end; i += step) {
      const p = probabilities[i];
      if (!Number.isFinite(p) || !Number.isFinite(upstream[i])) mean.around = Number.NaN;
      if (p > 0.5) large++;
      addToMean(mean, upstream[i], p);
    }
    for (let i = start; i < end; i += step) {
      const [p, u] = [probabilities[i], upstream[i]];
      const difference = large > 1 ? u - mean.around - mean.most : centred(u, p, 1 - p, mean);
      gradient[i] = (p * difference) / temperature;
    }
  }
}
