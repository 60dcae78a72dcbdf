// How an operation sees a tensor: as rows of classes. [outer, classes, inner] is any shape with a class axis.

/**
 * A shape seen along its class axis. Row r = o * inner + i has its class c at element (o * classes + c) * inner + i.
 * With the last axis, inner is 1 and a row is contiguous.
 */
export interface Rows {
  readonly outer: number;
  readonly classes: number;
  readonly inner: number;
  /** outer * inner: how many rows there are. */
  readonly count: number;
}

/** The number of elements of a shape; 1 for a scalar's `[]`. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** The rows of `shape` along `axis`, which is from 0 to shape.length - 1. */
export function rowsOf(shape: readonly number[], axis: number): Rows {
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  return { outer, classes: shape[axis], inner, count: outer * inner };
}

/** A tensor seen one element a row, for operations that have no class axis. */
export const elementsOf = (size: number): Rows => ({ outer: size, classes: 1, inner: 1, count: size });

/** The first element of a row. Its class c lies c * rows.inner elements further. */
export const rowStart = (rows: Rows, row: number): number =>
  Math.floor(row / rows.inner) * rows.classes * rows.inner + (row % rows.inner);

/** The shape of the rows: all axes but the class axis. */
export const withoutAxis = (shape: readonly number[], axis: number): number[] => shape.filter((_, i) => i !== axis);

/** Two shapes of the same lengths. */
export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((length, i) => length === b[i]);
