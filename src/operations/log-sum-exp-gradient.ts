import logSumExpGradientKernel from '../../shaders/log_sum_exp_gradient.wgsl';
import { logSumExpGradientRows } from '../cpu/log-sum-exp-gradient.js';
import { rowsOf, withoutAxis } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { classAxis, knownOptions } from '../validate.js';
import { expectTensor, operand, result } from './operands.js';
import { temperatureUniforms } from './temperature.js';

export interface LogSumExpGradientOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** Where to write the result; may be the logits themselves. */
  out?: Tensor;
}

/**
 * The derivative of the objective by the logits of `logSumExp`: upstream x softmax(logits).
 *
 * A class at -Infinity has 0. A row that is all -Infinity, or holds NaN or +Infinity, is NaN throughout.
 * @param logits what `logSumExp` was given
 * @param upstream the derivative of the objective by the log-sum-exps: one a row
 * @returns in the shape and dtype of the logits
 * @throws RangeError for an axis that does not fit or an empty class axis; ShapeError where upstream has another shape
 */
export function logSumExpGradient(
  logits: Tensor,
  upstream: Tensor | ArrayLike<number>,
  options: LogSumExpGradientOptions = {},
): Tensor {
  const fn = 'logSumExpGradient';
  knownOptions(fn, options, ['axis', 'out']);
  const { context, shape, dtype } = expectTensor(fn, 'logits', logits);
  const axis = classAxis(fn, shape, options.axis);
  const rows = rowsOf(shape, axis);
  const spec = { dtype: 'float32', shape: withoutAxis(shape, axis) } as const;
  const { gradient } = context.run({
    name: fn,
    reads: { logits, upstream: operand(fn, 'upstream', upstream, context, spec, 'one a row') },
    writes: { gradient: result(fn, 'out', options.out, context, { dtype, shape }) },
    cpu: ({ logits, upstream, gradient }) => logSumExpGradientRows(logits, upstream, gradient, rows),
    gpu: (gpu, { logits, upstream, gradient }) =>
      gpu.rows({
        kernel: logSumExpGradientKernel,
        rows,
        bindings: { input: [logits, rows.classes], output: [gradient, rows.classes], upstream: [upstream, 1] },
        uniforms: temperatureUniforms(1),
        constants: { UPSTREAM_STRIDE: 1 },
      }),
  });
  return gradient;
}
