// Twin of shaders/linear.wgsl.

import type { Values } from '../backend.js';
import { kernels } from './kernels.js';

/** features (rows, depth) x weight (classes, depth) transposed + bias (classes) -> result (rows, classes) */
export function linearRows(
  features: Values,
  weight: Values,
  bias: Values | null,
  result: Values,
  depth: number,
  classes: number,
): void {
  if (kernels.get(features.buffer)?.linearRows(features, weight, bias, result, depth, classes)) return;
  const rows = classes ? result.length / classes : 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let d = 0; d < depth; d++) sum += features[r * depth + d] * weight[c * depth + d];
      result[r * classes + c] = bias ? sum + bias[c] : sum;
    }
  }
}
