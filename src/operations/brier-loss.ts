import brierLossKernel from '../../shaders/brier_loss.wgsl';
import { brierLossRows } from '../cpu/brier-loss.js';
import type { Tensor } from '../tensor.js';
import { flag } from '../validate.js';
import { bound } from './bindings.js';
import { type LossResult, type RowLossOptions, rowLossCall, runRowLoss } from './row-loss.js';
import { indicesFor, isSoft, softLabels, type Targets } from './targets.js';
import { temperatureUniforms } from './temperature.js';

export interface BrierLossOptions extends RowLossOptions {
  /** Whether targets in a tensor are read back and checked too: on the GPU, results then reject with the RangeError. */
  validate?: boolean;
}

/**
 * Brier loss: of each row, the squared error of the softmax probabilities, summed over the classes (Brier 1950, Verification of
 * Forecasts Expressed in Terms of Probability). 'mean' divides by the rows, or by the sum of the sampleWeights.
 *
 * A masked (-Infinity) class has probability 0 and gradient 0, also where it is the target; a row that is all -Infinity, or holds NaN
 * or +Infinity, has loss and gradient NaN. No row is ignored.
 * @param logits any shape with a class axis; float32 or float16. Never probabilities
 * @param targets class indices in the shape of the rows (all axes but the class axis), or soft labels in the shape of the logits. An
 *   index in a tensor that is no class, or a label that is not finite, gives NaN in its row
 * @throws TypeError for indices that are floats, or an unknown option; RangeError for an index that is no class, with the first bad
 *   row; ShapeError where shapes do not fit
 */
export function brierLoss(logits: Tensor, targets: Targets, options: BrierLossOptions = {}): LossResult {
  const fn = 'brierLoss';
  const call = rowLossCall(fn, 'logits', logits, options, ['validate']);
  const { context, input, rows, rowShape } = call;
  const validate = flag(fn, 'validate', options.validate);
  const soft = isSoft(targets, input.shape, rowShape);
  const hard = soft ? undefined : indicesFor(call, targets, validate);
  return runRowLoss(call, {
    kernel: brierLossKernel,
    reads: { targets: hard?.indices, labels: soft ? softLabels(fn, targets, context, input.shape) : undefined },
    check: hard?.check,
    uniforms: temperatureUniforms(1),
    bindings: ({ labels }) => ({ labels: bound(labels, rows.classes) }),
    cpu: (arrays, reducing) => brierLossRows(arrays, rows, reducing),
  });
}
