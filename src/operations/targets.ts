// Targets, as class indices or soft labels, checked where JavaScript can see them.

import type { HostOperand } from '../backend.js';
import type { Context } from '../context.js';
import { ShapeError } from '../errors.js';
import { isFloatArray, nestedShape } from '../numbers.js';
import { sameShape, sizeOf } from '../rows.js';
import { Tensor } from '../tensor.js';
import { number, shown } from '../validate.js';
import { floats, operand } from './operands.js';
import type { RowLoss, RowLossCall } from './row-loss.js';

/** Class indices, in the shape of the rows: an int32 tensor, an array of integers, or plain numbers that are integers. */
export type Targets = Tensor | ArrayLike<number> | readonly (number | readonly number[])[];

/** Whether targets are soft labels: of the shape of the logits, not of the rows. */
export function isSoft(targets: unknown, shape: readonly number[], rowShape: readonly number[]): boolean {
  if (targets instanceof Tensor) return sameShape(targets.shape, shape);
  if (isFloatArray(targets)) return targets.length === sizeOf(shape) && targets.length !== sizeOf(rowShape);
  const own = nestedShape(targets);
  return own.length > 1 ? sameShape(own, shape) : own[0] === sizeOf(shape) && own[0] !== sizeOf(rowShape);
}

/** Soft labels in the shape of the logits; float32 or float16. */
export function softLabels(
  fn: string,
  targets: unknown,
  context: Context,
  shape: readonly number[],
  name = 'targets',
): Tensor | HostOperand {
  const half = targets instanceof Tensor && targets.dtype === 'float16';
  if (targets instanceof Tensor && !floats.includes(targets.dtype)) {
    throw new TypeError(`${fn}: soft "${name}" must be float32 or float16, got a ${targets.dtype} tensor`);
  }
  return operand(fn, name, targets, context, { dtype: half ? 'float16' : 'float32', shape });
}

/** The option `ignoreIndex`: -100 by default, null for none. */
export const ignoreIndexOf = (fn: string, value: number | null | undefined): number | null =>
  value === null ? null : number(fn, 'ignoreIndex', value, -100, 'an integer of int32, or null', (v) => v === (v | 0));

/** Indices for a loss, and with `validate` the check of those in a tensor. */
export function indicesFor(
  { fn, context, rowShape, rows }: RowLossCall,
  targets: unknown,
  validate: boolean,
  ignoreIndex: number | null = null,
): { indices: Tensor | HostOperand; check: RowLoss<string>['check'] } {
  const indices = classIndices(fn, targets, context, rowShape, rows.classes, ignoreIndex);
  const expect = (values: ArrayLike<number>) => expectClasses(fn, values, rows.classes, ignoreIndex);
  return { indices, check: validate && indices instanceof Tensor ? { of: 'targets', expect } : undefined };
}

/** One float32 a class, where it is given. */
export const perClass = ({ fn, context, rows }: RowLossCall, name: string, value: unknown) =>
  value === undefined
    ? undefined
    : operand(fn, name, value, context, { dtype: 'float32', shape: [rows.classes] }, 'one a class');

/**
 * Indices in the shape of the rows. Those in arrays are checked; those in tensors are guarded by the kernel.
 * @throws TypeError for floats; RangeError for an index that is no class, with the first bad row
 */
export function classIndices(
  fn: string,
  targets: unknown,
  context: Context,
  shape: readonly number[],
  classes: number,
  ignoreIndex: number | null,
): Tensor | HostOperand {
  if (targets instanceof Tensor && !sameShape(targets.shape, shape)) {
    throw new ShapeError(
      `${fn}: "targets" must have shape ${shown(shape)}, one target a row, got ${shown(targets.shape)}`,
    );
  }
  if (isFloatArray(targets) || (targets instanceof Tensor && targets.dtype !== 'int32')) {
    const kind = targets instanceof Tensor ? `a ${targets.dtype} tensor` : shown(targets);
    throw new TypeError(`${fn}: "targets" must be class indices (int32), got ${kind}`);
  }
  const indices = operand(fn, 'targets', targets, context, { dtype: 'int32', shape }, 'one target a row');
  if (!(indices instanceof Tensor)) expectClasses(fn, indices.values, classes, ignoreIndex);
  return indices;
}

/** @throws RangeError with the first row whose target is no class */
export function expectClasses(
  fn: string,
  targets: ArrayLike<number>,
  classes: number,
  ignoreIndex: number | null,
): void {
  for (let row = 0; row < targets.length; row++) {
    const target = targets[row];
    if (target === ignoreIndex || (target >= 0 && target < classes)) continue;
    const ignored = ignoreIndex === null ? '' : `, or ${ignoreIndex} to be ignored`;
    throw new RangeError(
      `${fn}: "targets" must be classes from 0 to ${classes - 1}${ignored}, got ${target} in row ${row}`,
    );
  }
}
