// Twin of shaders/sigmoid.wgsl.

import type { Values } from '../backend.js';

export function sigmoidElements(logits: Values, result: Values, temperature: number): void {
  for (let i = 0; i < logits.length; i++) {
    // From the side on which the exponential is below 1. A NaN passes through both.
    const e = Math.exp(-Math.abs(logits[i]) / temperature);
    result[i] = (logits[i] < 0 ? e : 1) / (1 + e);
  }
}
