import logSumExpGradientKernel from '../../shaders/log_sum_exp_gradient.wgsl';
import { logSumExpGradientRows } from '../cpu/log-sum-exp-gradient.js';
import type { Tensor } from '../tensor.js';
import { type RowGradientOptions, rowGradient } from './row-gradient.js';

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
  options?: RowGradientOptions,
): Tensor {
  return rowGradient(
    'logSumExpGradient',
    logits,
    upstream,
    options,
    logSumExpGradientKernel,
    {},
    logSumExpGradientRows,
  );
}
