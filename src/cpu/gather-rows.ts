// Twin of shaders/gather_rows.wgsl.

import type { Values } from '../backend.js';

export function gatherElements(source: Values, order: Values, result: Values, depth: number, start: number): void {
  const rows = depth ? source.length / depth : 0;
  for (let r = 0; r < result.length / depth; r++) {
    const row = order[start + r];
    if (row >= 0 && row < rows) result.set(source.subarray(row * depth, (row + 1) * depth), r * depth);
  }
}
