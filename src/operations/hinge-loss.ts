import hingeLossKernel from '../../shaders/hinge_loss.wgsl';
import { hingeElement } from '../cpu/hinge-loss.js';
import type { Tensor } from '../tensor.js';
import { flag, number } from '../validate.js';
import { type ElementLossOptions, type ElementTargets, elementLossCall, runElementLoss } from './element-loss.js';
import type { LossResult } from './row-loss.js';
import { type CheckedTargets, signCheck } from './signs.js';

export interface HingeLossOptions extends ElementLossOptions, CheckedTargets {
  /** How far on its side of 0 a score is to be; 1 by default. */
  margin?: number;
  /** Whether the loss is squared. */
  squared?: boolean;
}

/**
 * The hinge of support vector machines (Cortes and Vapnik 1995): max(0, margin - target x score), or its square, an element at a time.
 * Exactly at the margin the derivative is that of the inside, as with PyTorch's clamp.
 *
 * NaN gives NaN in its element; infinite scores follow the formula.
 * @param scores any shape, a scalar too; float32 or float16
 * @param targets -1 or 1, in the shape of the scores; float32 or float16. Another number in a tensor gives NaN in its element
 * @throws TypeError for an unknown option; RangeError for a margin that is not finite, or a target in an array that is not -1 or 1, with
 *   the first bad one; ShapeError where shapes do not fit
 */
export function hingeLoss(scores: Tensor, targets: ElementTargets, options: HingeLossOptions = {}): LossResult {
  const fn = 'hingeLoss';
  const call = elementLossCall(fn, 'scores', scores, targets, options, ['margin', 'squared', 'validate']);
  const margin = number(fn, 'margin', options.margin, 1);
  const squared = flag(fn, 'squared', options.squared);
  return runElementLoss(call, {
    kernel: hingeLossKernel,
    element: hingeElement(margin, squared),
    check: signCheck(fn, call.targets, options.validate, 'at element'),
    uniforms: { margin },
    constants: { SQUARED: squared },
  });
}
