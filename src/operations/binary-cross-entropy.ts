import binaryCrossEntropyKernel from '../../shaders/binary_cross_entropy.wgsl';
import { binaryCrossEntropyElement } from '../cpu/binary-cross-entropy.js';
import type { Tensor } from '../tensor.js';
import { broadcastOperand } from './broadcast.js';
import { type ElementLossOptions, type ElementTargets, elementLossCall, runElementLoss } from './element-loss.js';
import type { LossResult } from './row-loss.js';

export interface BinaryCrossEntropyOptions extends ElementLossOptions {
  /** Scales the positive part of the loss, broadcast to the input; above 1 it trades precision for recall. float32. */
  posWeight?: ElementTargets;
}

/**
 * Binary cross-entropy of logits (torch.nn.BCEWithLogitsLoss), in nats: posWeight t softplus(-x) + (1 - t) softplus(x), an element at
 * a time, for heads of several labels.
 *
 * At an infinite logit the loss is its limit: logit +Infinity has loss and gradient 0 with target 1, loss +Infinity and gradient 1 with
 * target 0. NaN, and a target or posWeight that is not finite, give NaN in their element.
 * @param logits any shape, a scalar too; float32 or float16. Never probabilities
 * @param targets in the shape of the logits: probabilities, usually 0 or 1; float32 or float16
 * @throws TypeError for an unknown option; ShapeError where targets do not have the shape of the logits, or weights or posWeight cannot
 *   be broadcast to it
 */
export function binaryCrossEntropy(
  logits: Tensor,
  targets: ElementTargets,
  options: BinaryCrossEntropyOptions = {},
): LossResult {
  const fn = 'binaryCrossEntropy';
  const call = elementLossCall(fn, 'logits', logits, targets, options, ['posWeight']);
  const { posWeight } = options;
  return runElementLoss(call, {
    kernel: binaryCrossEntropyKernel,
    element: binaryCrossEntropyElement,
    posWeight:
      posWeight === undefined
        ? undefined
        : broadcastOperand(fn, 'posWeight', posWeight, call.context, call.input.shape),
  });
}
