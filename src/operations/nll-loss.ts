import nllLossKernel from '../../shaders/nll_loss.wgsl';
import { nllLossRows } from '../cpu/nll-loss.js';
import type { Tensor } from '../tensor.js';
import { flag } from '../validate.js';
import { type LossResult, type RowLossOptions, rowLossCall, runRowLoss } from './row-loss.js';
import { ignoreIndexOf, indicesFor, perClass, type Targets } from './targets.js';
import { temperatureUniforms } from './temperature.js';

export interface NllLossOptions extends RowLossOptions {
  /** One number a class; scales the loss of its rows. 'mean' divides by the weights of the targets. */
  classWeights?: Tensor | ArrayLike<number>;
  /** Rows with this target add nothing and have gradient 0; -100 by default, null for none. */
  ignoreIndex?: number | null;
  /** Whether targets in a tensor are read back and checked too: on the GPU, results then reject with the RangeError. */
  validate?: boolean;
}

/**
 * Negative log-likelihood (torch.nn.functional.nll_loss): of each row, -(class weight) x log-probability of its target, in nats. After
 * `logSoftmax` it is cross-entropy; `crossEntropy` of the logits is faster, and its gradient is by the logits.
 *
 * A target at -Infinity has loss +Infinity (0 where its class weighs 0); a row that is all -Infinity, or holds NaN or +Infinity, has
 * loss and gradient NaN; 'mean' over nothing is NaN with gradient 0.
 * @param logProbabilities any shape with a class axis; float32 or float16
 * @param targets class indices in the shape of the rows (all axes but the class axis). One in a tensor that is no class gives NaN in
 *   its row
 * @throws TypeError for indices that are floats, or an unknown option; RangeError for an index that is no class, with the first bad
 *   row, or an option out of range; ShapeError where shapes do not fit
 */
export function nllLoss(logProbabilities: Tensor, targets: Targets, options: NllLossOptions = {}): LossResult {
  const fn = 'nllLoss';
  const own = ['classWeights', 'ignoreIndex', 'validate'];
  const call = rowLossCall(fn, 'logProbabilities', logProbabilities, options, own);
  const ignoreIndex = ignoreIndexOf(fn, options.ignoreIndex);
  const validate = flag(fn, 'validate', options.validate);
  const { indices, check } = indicesFor(call, targets, validate, ignoreIndex);
  return runRowLoss(call, {
    kernel: nllLossKernel,
    ignoreIndex,
    reads: { targets: indices, classWeights: perClass(call, 'classWeights', options.classWeights) },
    check,
    uniforms: temperatureUniforms(1),
    cpu: (arrays, reducing) => nllLossRows(arrays, call.rows, ignoreIndex, reducing),
  });
}
