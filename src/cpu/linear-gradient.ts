// Twin of shaders/linear_gradient.wgsl.

import type { Values } from '../backend.js';
import { addProduct } from './add-product.js';

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
  addProduct(gradient, true, features, weightGradient.fill(0), classes, samples, depth);
  if (!biasGradient) return;
  const sums = new Float64Array(classes);
  for (let i = 0, c = 0; i < gradient.length; i++, c = c + 1 < classes ? c + 1 : 0) sums[c] += gradient[i];
  biasGradient.set(sums);
}
