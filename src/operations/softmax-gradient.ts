import softmaxGradientKernel from '../../shaders/softmax_gradient.wgsl';
import { softmaxGradientRows } from '../cpu/softmax-gradient.js';
import type { NestedNumbers, Tensor } from '../tensor.js';
import { type MatrixGradientOptions, matrixGradient } from './matrix-gradient.js';

/**
 * The derivative of the objective by the logits of `softmax`: p (upstream - sum of p upstream) / temperature along the class axis.
 *
 * A row that holds NaN or an infinity, in the probabilities or in upstream, is NaN.
 * @param probabilities what `softmax` gave; float32 or float16
 * @param upstream the derivative of the objective by the probabilities, in their shape; float32 or float16
 * @returns in the shape and dtype of the probabilities
 * @throws RangeError for an axis that does not fit, an empty class axis, or a temperature that is not positive; ShapeError where
 *   upstream has another shape
 */
export function softmaxGradient(
  probabilities: Tensor,
  upstream: Tensor | ArrayLike<number> | NestedNumbers,
  options?: MatrixGradientOptions,
): Tensor {
  const fn = 'softmaxGradient';
  return matrixGradient(
    fn,
    'probabilities',
    probabilities,
    upstream,
    options,
    softmaxGradientKernel,
    softmaxGradientRows,
  );
}
