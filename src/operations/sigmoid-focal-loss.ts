import sigmoidFocalLossKernel from '../../shaders/sigmoid_focal_loss.wgsl';
import { sigmoidFocalElement } from '../cpu/sigmoid-focal-loss.js';
import type { Tensor } from '../tensor.js';
import { fromZero, number } from '../validate.js';
import { type ElementLossOptions, type ElementTargets, elementLossCall, runElementLoss } from './element-loss.js';
import type { LossResult } from './row-loss.js';

export interface SigmoidFocalLossOptions extends ElementLossOptions {
  /** How strongly elements that are nearly right are played down; 2 by default, 0 for not at all. */
  gamma?: number;
  /** The weight of the positive, 1 - alpha being that of the negative; 0.25 by default, null or negative for none. */
  alpha?: number | null;
}

/**
 * Focal loss of sigmoids (Lin et al. 2017, Focal Loss for Dense Object Detection; torchvision.ops.sigmoid_focal_loss), in nats:
 * alpha_t (1 - p_t)^gamma (-log p_t), an element at a time, with p_t = sigmoid(logit) where the target is 1.
 *
 * At an infinite logit the loss is its limit. NaN, and a target that is not from 0 to 1, give NaN in their element.
 * @param logits any shape, a scalar too; float32 or float16. Never probabilities
 * @param targets in the shape of the logits, from 0 to 1; float32 or float16
 * @throws TypeError for an unknown option; RangeError for gamma below 0 or alpha above 1; ShapeError where shapes do not fit
 */
export function sigmoidFocalLoss(
  logits: Tensor,
  targets: ElementTargets,
  options: SigmoidFocalLossOptions = {},
): LossResult {
  const fn = 'sigmoidFocalLoss';
  const call = elementLossCall(fn, 'logits', logits, targets, options, ['gamma', 'alpha']);
  const gamma = fromZero(fn, 'gamma', options.gamma, 2);
  const inRange = (v: number) => v <= 1 && Number.isFinite(v);
  const given = options.alpha === null ? -1 : options.alpha;
  const alpha = number(fn, 'alpha', given, 0.25, 'a number to 1, negative or null for none', inRange);
  return runElementLoss(call, {
    kernel: sigmoidFocalLossKernel,
    element: sigmoidFocalElement(gamma, alpha),
    uniforms: { gamma, alpha },
  });
}
