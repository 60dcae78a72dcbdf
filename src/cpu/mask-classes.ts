// Twin of shaders/mask_classes.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';

export function maskClassesRows(x: Values, keep: Values, result: Values, rows: Rows): void {
  for (let r = 0; r < rows.count; r++) {
    const start = rowStart(rows, r);
    for (let c = 0; c < rows.classes; c++) {
      const i = start + c * rows.inner;
      result[i] = keep[c] ? x[i] : Number.NEGATIVE_INFINITY;
    }
  }
}
