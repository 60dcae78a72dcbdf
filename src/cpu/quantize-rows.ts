// Twin of shaders/row_scales.wgsl and quantize_rows.wgsl.

import type { Values } from '../backend.js';

/** weight (rows, depth) -> bytes (rows, depth) and scales (rows) */
export function quantizeRowsOf(weight: Values, bytes: Values, scales: Values, depth: number): void {
  for (let r = 0; r < scales.length; r++) {
    let most = 0;
    for (let i = r * depth; i < (r + 1) * depth; i++) most = Math.max(most, Math.abs(weight[i])); // a NaN stays
    scales[r] = !Number.isFinite(most) ? Number.NaN : most < 2 ** -118 ? 0 : most / 127;
    const scale = scales[r];
    for (let i = r * depth; i < (r + 1) * depth; i++)
      bytes[i] = scale > 0 ? Math.max(-127, Math.min(127, Math.floor(Math.fround(weight[i] / scale) + 0.5))) : 0;
  }
}
