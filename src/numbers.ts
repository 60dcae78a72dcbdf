// Numbers that callers pass in arrays, made into what a tensor holds.

import type { DType, HostOperand } from './backend.js';
import { ShapeError } from './errors.js';
import { sizeOf } from './rows.js';
import { expectShape, shown } from './validate.js';

/** The largest finite float32. */
export const largestFloat = 2 ** 128 - 2 ** 104;

/** The typed arrays of numbers. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

export const isNumberArray = (value: unknown): value is NumberArray =>
  ArrayBuffer.isView(value) &&
  !(value instanceof DataView) &&
  !(value instanceof BigInt64Array) &&
  !(value instanceof BigUint64Array);

/** Whether a typed array holds fractions. */
export const isFloatArray = (value: unknown): value is Float32Array | Float64Array =>
  isNumberArray(value) && /^(?:Big)?Float/.test(Object.prototype.toString.call(value).slice(8));

/** What holds a dtype on the CPU: of float16, floats, which the backends round to it. */
export const arrayOf = (dtype: DType) =>
  ({ float32: Float32Array, float16: Float32Array, int32: Int32Array, uint32: Uint32Array, int8: Int8Array })[dtype];

function dtypeOf(data: unknown): DType {
  return data instanceof Int32Array ? 'int32' : data instanceof Uint32Array ? 'uint32' : 'float32';
}

/** A typed or nested number array as an operand: checked and of one shape. Its values may still be the caller's own array. */
export function fromNumbers(
  fn: string,
  name: string,
  data: unknown,
  shape: readonly number[] | undefined,
  dtype: DType = dtypeOf(data),
): HostOperand {
  if (!isNumberArray(data) && typeof data !== 'number' && !Array.isArray(data)) {
    throw new TypeError(`${fn}: "${name}" must be a typed array or numbers in arrays, got ${shown(data)}`);
  }
  const own = isNumberArray(data) ? [data.length] : nestedShape(data);
  const flat: number[] = [];
  if (!isNumberArray(data)) flatten(fn, name, data, own, 0, flat);
  const values = isNumberArray(data) ? data : flat;
  const given = shape ?? own;
  // Numbers in one dimension fill any shape; nested ones must have the shape already.
  if (own.length > 1) expectShape(fn, name, own, given);
  if (values.length !== sizeOf(given)) {
    throw new ShapeError(
      `${fn}: "${name}" has ${values.length} elements, shape ${shown(given)} needs ${sizeOf(given)}`,
    );
  }
  if (!dtype.startsWith('float')) expectIntegers(fn, name, values, dtype);
  const kind = arrayOf(dtype);
  return { dtype, shape: given, values: values instanceof kind ? values : new kind(values) };
}

/** Of no more than 32 axes: an array may be in itself. */
export function nestedShape(data: unknown): number[] {
  const shape: number[] = [];
  for (let level = data; Array.isArray(level) && shape.length < 32; level = level[0]) shape.push(level.length);
  return shape;
}

function flatten(fn: string, name: string, data: unknown, shape: number[], depth: number, flat: number[]): void {
  if (!Array.isArray(data) && typeof data !== 'number') {
    throw new TypeError(`${fn}: "${name}" must hold numbers, got ${shown(data)}`);
  }
  const length = Array.isArray(data) ? data.length : undefined;
  if (length !== shape[depth]) {
    throw new ShapeError(
      `${fn}: "${name}" is ragged: its arrays do not all have the shape ${shown(shape)} of the first`,
    );
  }
  if (typeof data === 'number') flat.push(data);
  else for (const inner of data) flatten(fn, name, inner, shape, depth + 1, flat);
}

function expectIntegers(fn: string, name: string, values: ArrayLike<number>, dtype: DType): void {
  const [low, high] =
    dtype === 'uint32' ? [0, 2 ** 32 - 1] : dtype === 'int8' ? [-128, 127] : [-(2 ** 31), 2 ** 31 - 1];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isInteger(value) && value >= low && value <= high) continue;
    const kind = Number.isInteger(value) ? RangeError : TypeError;
    throw new kind(`${fn}: "${name}" must hold integers of ${dtype}, got ${value} at element ${i}`);
  }
}
