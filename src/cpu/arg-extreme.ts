// Twin of shaders/arg_extreme.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { kernels } from './kernels.js';

export function argExtremeRows(x: Values, indices: Values, rows: Rows, least: boolean): void {
  if (kernels.get(x.buffer)?.argExtremeRows(x, indices, rows, least)) return;
  for (let r = 0; r < rows.count; r++) indices[r] = argExtreme(x, rowStart(rows, r), rows, least);
}

/** The first of ties; a NaN is the extreme, the first of them. */
function argExtreme(x: Values, start: number, { classes, inner }: Rows, least: boolean): number {
  let best = 0;
  for (let c = 0; c < classes; c++) {
    const value = x[start + c * inner];
    if (Number.isNaN(value)) return c;
    const leader = x[start + best * inner];
    if (least ? value < leader : value > leader) best = c;
  }
  return best;
}
