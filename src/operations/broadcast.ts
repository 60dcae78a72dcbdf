// Operands that are broadcast over the input, as in NumPy: axes are aligned at the last, and one of length 1 is repeated.

import type { HostOperand, Spec } from '../backend.js';
import type { Context } from '../context.js';
import { ShapeError } from '../errors.js';
import { nestedShape } from '../numbers.js';
import { sameShape, sizeOf } from '../rows.js';
import { Tensor } from '../tensor.js';
import { shown } from '../validate.js';
import { operand } from './operands.js';

/** An operand, and where elements find their number in it (shaders/lib/broadcast.wgsl). */
export interface BroadcastOperand {
  readonly value: Tensor | HostOperand;
  readonly axes: readonly number[];
  /** Whether it has the shape of the input. */
  readonly full: boolean;
}

/**
 * A float32 tensor, numbers in arrays, or one number.
 * @throws ShapeError where it cannot be broadcast to `shape`
 */
export function broadcastOperand(
  fn: string,
  name: string,
  given: unknown,
  context: Context,
  shape: readonly number[],
): BroadcastOperand {
  const own = given instanceof Tensor ? given.shape : shapeOf(given, shape);
  const axes = own.length <= shape.length ? axesOf(own, shape) : null;
  const spec: Spec = { dtype: 'float32', shape: own };
  const value = operand(fn, name, given, context, spec); // its own complaints come first
  if (axes) return { value, axes, full: sameShape(own, shape) };
  throw new ShapeError(`${fn}: "${name}" of shape ${shown(own)} cannot be broadcast to ${shown(shape)}`);
}

/** Of numbers in arrays: flat ones fill the shape where there are as many. */
function shapeOf(given: unknown, shape: readonly number[]): readonly number[] {
  const own = ArrayBuffer.isView(given) ? [(given as Float32Array).length] : nestedShape(given);
  return own.length === 1 && own[0] === sizeOf(shape) && own[0] !== shape.at(-1) ? shape : own;
}

/** How many groups of axes are not repeated, and the period and length of each, outermost first; null where the shapes do not fit. */
function axesOf(own: readonly number[], shape: readonly number[]): number[] | null {
  const groups: number[] = [];
  const lead = shape.length - own.length;
  let kept = false; // the axis before is of the last group
  for (const [axis, length] of shape.entries()) {
    const mine = axis < lead ? 1 : own[axis - lead];
    if (mine !== length && mine !== 1) return null;
    if (length === 1) continue;
    if (mine === length) {
      if (kept) groups[groups.length - 1] *= length;
      else groups.push(0, length);
      groups[groups.length - 2] = sizeOf(shape.slice(axis + 1));
    }
    kept = mine === length;
  }
  return [groups.length / 2, ...groups];
}
