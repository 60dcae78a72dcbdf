// What a head takes: weights when it is made, features when it predicts; as tensors, or as numbers that are not on the device yet.

import type { HostOperand } from '../backend.js';
import { Context } from '../context.js';
import { DisposedError, ShapeError } from '../errors.js';
import type { StoredTensor } from '../formats/safetensors.js';
import { fromNumbers } from '../numbers.js';
import { expectOf, operand } from '../operations/operands.js';
import { Tensor } from '../tensor.js';
import { expectShape, shown } from '../validate.js';

export type Input = Tensor | HostOperand;

export function expectContext(fn: string, context: unknown): void {
  if (!(context instanceof Context)) throw new TypeError(`${fn}: "context" must be a Context, got ${shown(context)}`);
  if (context.disposed) throw new DisposedError(`${fn}: the context was disposed`);
}

/** A weight [C, D]. */
export function weightInput(fn: string, context: Context, weight: unknown): Input {
  const input = floatInput(fn, 'weight', context, weight);
  if (input.shape.length === 2 && !input.shape.includes(0)) return input;
  throw new ShapeError(
    `${fn}: "weight" must have shape [classes, features], neither of them 0, got ${shown(input.shape)}`,
  );
}

/** A bias [C], or null where there is none. */
export function biasInput(fn: string, context: Context, bias: unknown, classes: number): Input | null {
  if (bias === undefined || bias === null) return null;
  const why = 'one a class of the weight';
  if (!(bias instanceof Tensor)) {
    return operand(fn, 'bias', bias, context, { dtype: 'float32', shape: [classes] }, why);
  }
  expectShape(fn, 'bias', expectOf(fn, 'bias', bias, context).shape, [classes], why);
  return bias;
}

/** A tensor of a file. float16 stays what it is; what is wider becomes float32. */
export function storedInput({ dtype, shape, values }: StoredTensor): HostOperand {
  return { dtype: dtype === 'F16' ? 'float16' : 'float32', shape, values: values() };
}

/** Features [N, D], or a tensor [D]. A flat array is cut into rows of D. */
export function featureInput(fn: string, { context, shape }: Tensor, features: unknown): Input {
  const depth = shape[1];
  const input = floatInput(fn, 'features', context, features);
  const rank = input.shape.length;
  const cut = rank === 1 && !(input instanceof Tensor) && input.shape[0] % depth === 0;
  if (cut) return { ...input, shape: [input.shape[0] / depth, depth] };
  if ((rank === 1 || rank === 2) && input.shape[rank - 1] === depth) return input;
  throw new ShapeError(
    `${fn}: "features" must have shape [rows, ${depth}] or [${depth}], or hold rows of ${depth} numbers, got ${shown(input.shape)}`,
  );
}

function floatInput(fn: string, name: string, context: Context, value: unknown): Input {
  return value instanceof Tensor
    ? expectOf(fn, name, value, context)
    : fromNumbers(fn, name, value, undefined, 'float32');
}
