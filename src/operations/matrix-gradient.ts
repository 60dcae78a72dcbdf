// What the derivatives of softmax and logSoftmax have in common: a forward result and an upstream in its shape.

import type { Values } from '../backend.js';
import { type Rows, rowsOf } from '../rows.js';
import { Tensor } from '../tensor.js';
import { classAxis, knownOptions, positive } from '../validate.js';
import type { Part } from '../webgpu/link.js';
import { expectOf, expectTensor, operand, result } from './operands.js';
import { temperatureUniforms } from './temperature.js';

/** Options of `softmaxGradient` and `logSoftmaxGradient`. */
export interface MatrixGradientOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** What the logits were divided by; 1 by default. */
  temperature?: number;
  /** Where to write the result; may be either operand. */
  out?: Tensor;
}

export function matrixGradient(
  fn: string,
  name: string,
  forward: Tensor,
  upstream: unknown,
  options: MatrixGradientOptions = {},
  kernel: Part,
  cpu: (forward: Values, upstream: Values, gradient: Values, rows: Rows, temperature: number) => void,
): Tensor {
  knownOptions(fn, options, ['axis', 'temperature', 'out']);
  const { context, shape, dtype } = expectTensor(fn, name, forward);
  const rows = rowsOf(shape, classAxis(fn, shape, options.axis));
  const temperature = positive(fn, 'temperature', options.temperature, 1);
  const own = upstream instanceof Tensor ? expectOf(fn, 'upstream', upstream, context).dtype : 'float32';
  const { gradient } = context.run({
    name: fn,
    reads: { forward, upstream: operand(fn, 'upstream', upstream, context, { dtype: own, shape }) },
    writes: { gradient: result(fn, 'out', options.out, context, { dtype, shape }) },
    cpu: (arrays) => cpu(arrays.forward, arrays.upstream, arrays.gradient, rows, temperature),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel,
        rows,
        bindings: {
          input: [storages.forward, rows.classes],
          upstream: [storages.upstream, rows.classes],
          output: [storages.gradient, rows.classes],
        },
        uniforms: temperatureUniforms(temperature),
      }),
  });
  return gradient;
}
