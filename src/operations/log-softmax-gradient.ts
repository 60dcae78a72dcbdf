import logSoftmaxGradientKernel from '../../shaders/log_softmax_gradient.wgsl';
import { logSoftmaxGradientRows } from '../cpu/log-softmax-gradient.js';
import type { NestedNumbers, Tensor } from '../tensor.js';
import { type MatrixGradientOptions, matrixGradient } from './matrix-gradient.js';

/**
 * The derivative of the objective by the logits of `logSoftmax`: (upstream - p x sum of upstream) / temperature along the class axis.
 *
 * At a class of -Infinity that is upstream / temperature. A row that is all -Infinity, or holds NaN or +Infinity, and one whose
 * upstream is not finite, is NaN.
 * @param logProbabilities what `logSoftmax` gave; float32 or float16
 * @param upstream the derivative of the objective by the log-probabilities, in their shape; float32 or float16
 * @returns in the shape and dtype of the log-probabilities
 * @throws RangeError for an axis that does not fit, an empty class axis, or a temperature that is not positive; ShapeError where
 *   upstream has another shape
 */
export function logSoftmaxGradient(
  logProbabilities: Tensor,
  upstream: Tensor | ArrayLike<number> | NestedNumbers,
  options?: MatrixGradientOptions,
): Tensor {
  return matrixGradient(
    'logSoftmaxGradient',
    'logProbabilities',
    logProbabilities,
    upstream,
    options,
    logSoftmaxGradientKernel,
    logSoftmaxGradientRows,
  );
}
