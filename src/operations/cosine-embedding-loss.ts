import cosineEmbeddingLossKernel from '../../shaders/cosine_embedding_loss.wgsl';
import { cosineEmbeddingRows } from '../cpu/cosine-embedding-loss.js';
import type { Tensor } from '../tensor.js';
import { number } from '../validate.js';
import {
  type EmbeddingLossOptions,
  type EmbeddingLossResult,
  embeddingLossCall,
  rowSigns,
  runEmbeddingLoss,
} from './embedding-loss.js';
import { type CheckedTargets, signCheck } from './signs.js';

export interface CosineEmbeddingLossOptions extends EmbeddingLossOptions, CheckedTargets {
  /** The cosine up to which a pair with target -1 costs nothing; 0 by default. */
  margin?: number;
}

/**
 * The cosine embedding loss (torch.nn.CosineEmbeddingLoss): 1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it
 * is -1, a row at a time. As in PyTorch, 1e-12 is added to the squared lengths, so that a vector of zeros has cosine 0. Pairs that are
 * nearly parallel keep their digits.
 *
 * A row that holds a NaN or an infinity has loss and gradients NaN.
 * @param x1 [..., features]; float32 or float16
 * @param x2 in the same shape; float32 or float16
 * @param targets -1 or 1, one a row; float32 or float16. Another number in a tensor gives NaN in its row
 * @returns the loss, and with `gradient` the gradients by x1 and x2
 * @throws TypeError for an unknown option; RangeError for a margin that is not finite, a scalar, or a target in an array that is not -1
 *   or 1, with the first bad row; ShapeError where shapes do not fit
 */
export function cosineEmbeddingLoss(
  x1: Tensor,
  x2: Tensor,
  targets: Tensor | ArrayLike<number>,
  options: CosineEmbeddingLossOptions = {},
): EmbeddingLossResult<'x1' | 'x2'> {
  const fn = 'cosineEmbeddingLoss';
  const call = embeddingLossCall(fn, { x1, x2 }, options, ['margin', 'validate']);
  const margin = number(fn, 'margin', options.margin, 0);
  const signs = rowSigns(call, targets);
  return runEmbeddingLoss(call, {
    kernel: cosineEmbeddingLossKernel,
    reads: { signs },
    check: signCheck(fn, signs, options.validate, 'in row', 'signs'),
    uniforms: { margin },
    cpu: (arrays, rows, reducing) => cosineEmbeddingRows(arrays, rows, margin, reducing),
  });
}
