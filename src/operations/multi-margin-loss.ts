import multiMarginLossKernel from '../../shaders/multi_margin_loss.wgsl';
import { multiMarginLossRows } from '../cpu/multi-margin-loss.js';
import type { Tensor } from '../tensor.js';
import { flag, number } from '../validate.js';
import { bound } from './bindings.js';
import { type LossResult, type RowLossOptions, rowLossCall, runRowLoss } from './row-loss.js';
import { indicesFor, perClass, type Targets } from './targets.js';
import { temperatureUniforms } from './temperature.js';

export interface MultiMarginLossOptions extends RowLossOptions {
  /** The power of what is missing to the margin, 1 (default) or 2. */
  p?: 1 | 2;
  /** By how much the target's logit is to lead the others; 1 by default. */
  margin?: number;
  /** One number a class; scales the loss of its rows, and leaves the divisor of 'mean' alone. */
  classWeights?: Tensor | ArrayLike<number>;
  /** Whether targets in a tensor are read back and checked too: on the GPU, results then reject with the RangeError. */
  validate?: boolean;
}

/**
 * Multi-class margin loss (torch.nn.functional.multi_margin_loss): of each row, the class weight of the target x the sum over the other
 * classes of max(0, margin - x[target] + x[j])^p, divided by the number of classes. 'mean' divides by the rows, or by the sum of the
 * sampleWeights. Where the target leads by the margin exactly, the gradient is 0.
 *
 * A masked (-Infinity) class adds 0 and has gradient 0; a masked target has loss +Infinity. A row that is all -Infinity, or holds NaN or
 * +Infinity, has loss and gradient NaN. No row is ignored.
 * @param logits any shape with a class axis; float32 or float16
 * @param targets class indices in the shape of the rows (all axes but the class axis). One in a tensor that is no class gives NaN in
 *   its row
 * @throws TypeError for indices that are floats, or an unknown option; RangeError for an index that is no class, with the first bad
 *   row, a p other than 1 and 2, or a margin that is not finite; ShapeError where shapes do not fit
 */
export function multiMarginLoss(logits: Tensor, targets: Targets, options: MultiMarginLossOptions = {}): LossResult {
  const fn = 'multiMarginLoss';
  const call = rowLossCall(fn, 'logits', logits, options, ['p', 'margin', 'classWeights', 'validate']);
  const p = number(fn, 'p', options.p, 1, '1 or 2', (v) => v === 1 || v === 2);
  const margin = number(fn, 'margin', options.margin, 1, undefined, (v) => Number.isFinite(Math.fround(v)));
  const { indices, check } = indicesFor(call, targets, flag(fn, 'validate', options.validate));
  return runRowLoss(call, {
    kernel: multiMarginLossKernel,
    reads: { targets: indices, scales: perClass(call, 'classWeights', options.classWeights) },
    check,
    uniforms: { ...temperatureUniforms(1), margin },
    constants: { SQUARED: p === 2 },
    bindings: ({ scales }) => ({ class_weights: bound(scales) }),
    cpu: (arrays, reducing) => multiMarginLossRows(arrays, call.rows, { p, margin }, reducing),
  });
}
