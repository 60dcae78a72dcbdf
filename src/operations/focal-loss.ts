import focalLossKernel from '../../shaders/focal_loss.wgsl';
import { focalLossRows } from '../cpu/focal-loss.js';
import type { Tensor } from '../tensor.js';
import { flag, number } from '../validate.js';
import { bound } from './bindings.js';
import { type LossResult, type RowLossOptions, rowLossCall, runRowLoss } from './row-loss.js';
import { indicesFor, perClass, type Targets } from './targets.js';
import { temperatureUniforms } from './temperature.js';

export interface FocalLossOptions extends RowLossOptions {
  /** How much less a row counts the nearer it is to being right; 2 by default, 0 for cross-entropy. */
  gamma?: number;
  /** One number a class; scales the loss of its rows, and leaves the divisor of 'mean' alone. */
  alpha?: Tensor | ArrayLike<number>;
  /** Whether targets in a tensor are read back and checked too: on the GPU, results then reject with the RangeError. */
  validate?: boolean;
}

/**
 * Focal loss over the softmax (Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 5): of each row,
 * alpha_t x (1 - p_t)^gamma x -log p_t, in nats. 'mean' divides by the rows, or by the sum of the sampleWeights.
 *
 * A masked (-Infinity) target has loss +Infinity and gradient -alpha_t; a row that is all -Infinity, or holds NaN or +Infinity, has
 * loss and gradient NaN. No row is ignored.
 * @param logits any shape with a class axis; float32 or float16. Never probabilities
 * @param targets class indices in the shape of the rows (all axes but the class axis). One in a tensor that is no class gives NaN in
 *   its row
 * @throws TypeError for indices that are floats, or an unknown option; RangeError for an index that is no class, with the first bad
 *   row, or a gamma below 0; ShapeError where shapes do not fit
 */
export function focalLoss(logits: Tensor, targets: Targets, options: FocalLossOptions = {}): LossResult {
  const fn = 'focalLoss';
  const call = rowLossCall(fn, 'logits', logits, options, ['gamma', 'alpha', 'validate']);
  const finite = (v: number) => v >= 0 && Number.isFinite(Math.fround(v));
  const gamma = number(fn, 'gamma', options.gamma, 2, 'a finite number from 0', finite);
  const { indices, check } = indicesFor(call, targets, flag(fn, 'validate', options.validate));
  return runRowLoss(call, {
    kernel: focalLossKernel,
    reads: { targets: indices, alpha: perClass(call, 'alpha', options.alpha) },
    check,
    uniforms: { ...temperatureUniforms(1), gamma },
    bindings: ({ alpha }) => ({ class_weights: bound(alpha) }),
    cpu: (arrays, reducing) => focalLossRows(arrays, call.rows, gamma, reducing),
  });
}
