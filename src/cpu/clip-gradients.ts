// Twin of shaders/sum_squares.wgsl and shaders/clip_gradients.wgsl.

import type { Values } from '../backend.js';

export function clipElements(gradients: readonly Values[], norm: Values, most: number): void {
  let squares = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) squares += gradient[i] * gradient[i];
  const root = Math.sqrt(squares);
  norm[0] = root;
  const factor = Math.min(1, most / (root + 1e-6)); // a NaN stays
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
}
