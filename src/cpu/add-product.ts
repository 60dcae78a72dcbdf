// Twin of shaders/linear_gradient.wgsl: the products of a linear head's gradients.

import type { Values } from '../backend.js';
import { kernels } from './kernels.js';

export type Numbers = Values | Float64Array;

/**
 * sums (rows, columns) += a (rows, depth) x b (depth, columns).
 * @param turned whether `a` lies the other way: (depth, rows)
 */
export function addProduct(
  a: Numbers,
  turned: boolean,
  b: Values,
  sums: Numbers,
  rows: number,
  depth: number,
  columns: number,
): void {
  if (kernels.get(b.buffer)?.addProduct(a, turned, b, sums, rows, depth, columns)) return;
  const [aRow, aStep] = turned ? [1, rows] : [depth, 1];
  for (let i = 0; i < rows; i++) {
    const to = i * columns;
    for (let l = 0; l < depth; l++) {
      const by = a[i * aRow + l * aStep];
      const from = l * columns;
      for (let j = 0; j < columns; j++) sums[to + j] += by * b[from + j];
    }
  }
}
