import logSumExpKernel from '../../shaders/log_sum_exp.wgsl';
import { logSumExpRows } from '../cpu/log-sum-exp.js';
import { rowsOf, withoutAxis } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { classAxis, knownOptions } from '../validate.js';
import { expectTensor, result } from './operands.js';
import { rowSums } from './row-parts.js';
import { temperatureUniforms } from './temperature.js';

/** Options of `logSumExp`. */
export interface LogSumExpOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** Where to write the result. */
  out?: Tensor;
}

/**
 * log(sum of exp(x)) along the class axis (torch.logsumexp), in nats, with no overflow on the way.
 *
 * -Infinity for a row that is all -Infinity; +Infinity where +Infinity is the largest and no NaN is present; NaN where one is.
 * @param logits any shape with at least one axis; float32 or float16
 * @returns one float32 a row: the shape without the class axis
 * @throws RangeError for an axis that does not fit or an empty class axis
 */
export function logSumExp(logits: Tensor, options: LogSumExpOptions = {}): Tensor {
  const fn = 'logSumExp';
  knownOptions(fn, options, ['axis', 'out']);
  const { context, shape } = expectTensor(fn, 'logits', logits);
  const axis = classAxis(fn, shape, options.axis);
  const rows = rowsOf(shape, axis);
  const spec = { dtype: 'float32', shape: withoutAxis(shape, axis) } as const;
  const { sums } = context.run({
    name: fn,
    reads: { logits },
    writes: { sums: result(fn, 'out', options.out, context, spec) },
    cpu: (arrays) => logSumExpRows(arrays.logits, arrays.sums, rows),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: logSumExpKernel,
        rows,
        splits: rowSums,
        bindings: { input: [storages.logits, rows.classes], sums: [storages.sums, 1] },
        uniforms: temperatureUniforms(1),
      }),
  });
  return sums;
}
