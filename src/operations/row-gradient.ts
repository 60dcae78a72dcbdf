// What the derivatives of logSumExp and entropy have in common: logits, and an upstream of one number a row.

import type { Spec, Values } from '../backend.js';
import { type Rows, rowsOf, withoutAxis } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { classAxis, knownOptions } from '../validate.js';
import type { Part } from '../webgpu/link.js';
import { expectTensor, operand, result } from './operands.js';
import { temperatureUniforms } from './temperature.js';

/** Options of `logSumExpGradient` and `entropyGradient`. */
export interface RowGradientOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** Where to write the result; may be the logits themselves. */
  out?: Tensor;
}

export function rowGradient(
  fn: string,
  logits: Tensor,
  upstream: unknown,
  options: RowGradientOptions = {},
  kernel: Part,
  uniforms: Readonly<Record<string, number>>,
  cpu: (logits: Values, upstream: Values, gradient: Values, rows: Rows) => void,
): Tensor {
  knownOptions(fn, options, ['axis', 'out']);
  const { context, shape, dtype } = expectTensor(fn, 'logits', logits);
  const axis = classAxis(fn, shape, options.axis);
  const rows = rowsOf(shape, axis);
  const oneARow: Spec = { dtype: 'float32', shape: withoutAxis(shape, axis) };
  const { gradient } = context.run({
    name: fn,
    reads: { logits, upstream: operand(fn, 'upstream', upstream, context, oneARow, 'one a row') },
    writes: { gradient: result(fn, 'out', options.out, context, { dtype, shape }) },
    cpu: (arrays) => cpu(arrays.logits, arrays.upstream, arrays.gradient, rows),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel,
        rows,
        bindings: {
          input: [storages.logits, rows.classes],
          output: [storages.gradient, rows.classes],
          upstream: [storages.upstream, 1],
        },
        uniforms: { ...temperatureUniforms(1), ...uniforms },
      }),
  });
  return gradient;
}
