// Class indices, checked where JavaScript can see them.

import type { Context, HostOperand } from '../context.js';
import { isFloatArray } from '../numbers.js';
import { Tensor } from '../tensor.js';
import { shown } from '../validate.js';
import { operand } from './operands.js';

/** Class indices: an int32 tensor, an array of integers, or plain numbers that are integers. */
export type Targets = Tensor | ArrayLike<number> | readonly (number | readonly number[])[];

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
