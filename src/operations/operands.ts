// What operations ask of their operands and results: tensors of one context, of the right dtype and shape.

import type { DType, HostOperand, Spec } from '../backend.js';
import type { Context } from '../context.js';
import { DisposedError } from '../errors.js';
import { fromNumbers } from '../numbers.js';
import { sizeOf } from '../rows.js';
import { Tensor } from '../tensor.js';
import { expectShape, shown } from '../validate.js';

/** dtypes of logits, features and weights. */
export const floats: readonly DType[] = ['float32', 'float16'];
/** dtypes that can be compared. */
export const comparable: readonly DType[] = ['float32', 'float16', 'int32', 'uint32'];

/** A live tensor of one of some dtypes. */
export function expectTensor(fn: string, name: string, value: unknown, dtypes: readonly DType[] = floats): Tensor {
  if (!(value instanceof Tensor)) throw new TypeError(`${fn}: "${name}" must be a Tensor, got ${shown(value)}`);
  if (value.disposed) throw new DisposedError(`${fn}: the tensor "${name}" was disposed`);
  if (!dtypes.includes(value.dtype))
    throw new TypeError(`${fn}: "${name}" must be ${dtypes.join(' or ')}, got ${value.dtype}`);
  return value;
}

/** The same, of the context of another operand. */
export function expectOf(
  fn: string,
  name: string,
  value: unknown,
  context: Context,
  dtypes?: readonly DType[],
): Tensor {
  const tensor = expectTensor(fn, name, value, dtypes);
  if (tensor.context !== context) throw new TypeError(`${fn}: "${name}" is a tensor of another context`);
  return tensor;
}

/** A tensor, or numbers in its place, of a known shape and dtype. */
export function operand(
  fn: string,
  name: string,
  value: unknown,
  context: Context,
  { dtype, shape }: Spec,
  why?: string,
): Tensor | HostOperand {
  if (!(value instanceof Tensor)) {
    const host = fromNumbers(fn, name, typeof value === 'number' ? [value] : value, undefined, dtype);
    // A plain number stands for any single element, and a flat array for any shape that it fills.
    const flat = host.shape.length === 1 && host.values.length === sizeOf(shape);
    if (!flat) expectShape(fn, name, host.shape, shape, why);
    return { ...host, shape };
  }
  const tensor = expectOf(fn, name, value, context, [dtype]);
  expectShape(fn, name, tensor.shape, shape, why);
  return tensor;
}

/**
 * The tensor given as `out`, or what is to be made in its place.
 * @param notOver operands that are still read when the first of the result is written
 */
export function result(
  fn: string,
  name: string,
  out: unknown,
  context: Context,
  spec: Spec,
  notOver: readonly unknown[] = [],
): Tensor | Spec {
  if (out === undefined) return spec;
  const tensor = expectOf(fn, name, out, context, [spec.dtype]);
  expectShape(fn, name, tensor.shape, spec.shape, 'as its result has');
  if (notOver.includes(tensor)) throw new TypeError(`${fn}: "${name}" may not be what it is made from`);
  return tensor;
}
