import hingeEmbeddingLossKernel from '../../shaders/hinge_embedding_loss.wgsl';
import { hingeEmbeddingElement } from '../cpu/hinge-embedding-loss.js';
import type { Tensor } from '../tensor.js';
import { number } from '../validate.js';
import { type ElementLossOptions, type ElementTargets, elementLossCall, runElementLoss } from './element-loss.js';
import type { LossResult } from './row-loss.js';
import { type CheckedTargets, signCheck } from './signs.js';

export interface HingeEmbeddingLossOptions extends ElementLossOptions, CheckedTargets {
  /** How far apart a dissimilar pair is to be; 1 by default. */
  margin?: number;
}

/**
 * The hinge of distances (torch.nn.HingeEmbeddingLoss): x where the target is 1 (similar), max(0, margin - x) where it is -1, an element
 * at a time.
 *
 * NaN gives NaN in its element; infinite distances follow the formula.
 * @param x any shape, a scalar too, usually distances of pairs; float32 or float16
 * @param targets -1 or 1, in the shape of x; float32 or float16. Another number in a tensor gives NaN in its element
 * @throws TypeError for an unknown option; RangeError for a margin that is not finite, or a target in an array that is not -1 or 1, with
 *   the first bad one; ShapeError where shapes do not fit
 */
export function hingeEmbeddingLoss(
  x: Tensor,
  targets: ElementTargets,
  options: HingeEmbeddingLossOptions = {},
): LossResult {
  const fn = 'hingeEmbeddingLoss';
  const call = elementLossCall(fn, 'x', x, targets, options, ['margin', 'validate']);
  const margin = number(fn, 'margin', options.margin, 1);
  return runElementLoss(call, {
    kernel: hingeEmbeddingLossKernel,
    element: hingeEmbeddingElement(margin),
    check: signCheck(fn, call.targets, options.validate, 'at element'),
    uniforms: { margin },
  });
}
