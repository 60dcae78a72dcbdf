// Rows that are not finite, between rows that are.
import { normal } from './random.ts';

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: masked } = Number;

/** Each fills a row; classes beyond those listed repeat the last. */
export const specialRows: Record<string, number[]> = {
  'a masked class': [masked, 1, 2, -1],
  'all masked but one': [masked, masked, 3, masked],
  'all masked': [masked],
  'a NaN': [0, nan, 2],
  'a NaN first': [nan, 0, 1],
  'NaN and +Infinity': [inf, nan, 0],
  '+Infinity': [1, inf, 0],
  '+Infinity and masked': [masked, inf, masked],
  'a constant 3e38': [3e38],
  'differences beyond float32': [3e38, -3e38, 1],
  'large, with a masked class': [3e38, masked, 3.3e38, 2.9e38],
  'an offset of 1e4 and a masked class': [10000, masked, 9999, 9998.5],
  'far apart, with a masked class': [5000, -5000, masked, 0],
  'the smallest numbers': [1e-45, -1e-45, 0],
  'zeros of both signs': [-0, 0, -0],
};

const classes = 37; // odd, more than 32 lanes, and fewer than 64
const rows = 2 * Object.keys(specialRows).length + 1;
export const specialShape = [rows, classes];

/** Rows of plain numbers, where special rows will be and between them. */
export const plainRows = normal(rows * classes, { sigma: 3, seed: 11 });

/** Plain rows with special ones between them. */
export function withSpecialRows(): Float32Array {
  const x = plainRows.slice();
  Object.values(specialRows).forEach((row, i) => {
    for (let c = 0; c < classes; c++) x[(2 * i + 1) * classes + c] = row[Math.min(c, row.length - 1)];
  });
  return x;
}

/** The same numbers with the class axis first. */
export const transposed = (x: Float32Array) =>
  Float32Array.from(x, (_, i) => x[(i % rows) * classes + Math.floor(i / rows)]);
