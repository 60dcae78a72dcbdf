// Twin of shaders/linear_gradient.wgsl.

import type { Values } from '../backend.js';

/** gradient (samples, classes) transposed x features (samples, depth) -> weightGradient (classes, depth); sums -> biasGradient. */
export function linearGradients(
  features: Values,
  gradient: Values,
  weightGradient: Values,
  biasGradient: Values | undefined,
  depth: number,
  classes: number,
): void {
  const samples = gradient.length / classes;
  const sums = new Float64Array(depth);
  for (let c = 0; c < classes; c++) {
    sums.fill(0);
    let sum = 0;
    for (let n = 0; n < samples; n++) {
      const slope = gradient[n * classes + c];
      sum += slope;
      const start = n * depth;
      for (let d = 0; d < depth; d++) sums[d] += slope * features[start + d];
    }
    weightGradient.set(sums, c * depth);
    if (biasGradient) biasGradient[c] = sum;
  }
}
