import crossEntropyKernel from '../../shaders/cross_entropy.wgsl';
import { crossEntropyRows } from '../cpu/cross-entropy.js';
import type { Tensor } from '../tensor.js';
import { flag } from '../validate.js';
import { bound } from './bindings.js';
import { type CrossEntropyNumbers, settingsOf } from './cross-entropy-settings.js';
import { type LossResult, type RowLossOptions, rowLossCall, runRowLoss } from './row-loss.js';
import { rowSums } from './row-parts.js';
import { indicesFor, isSoft, perClass, softLabels, type Targets } from './targets.js';
import { temperatureUniforms } from './temperature.js';

export interface CrossEntropyOptions extends RowLossOptions, CrossEntropyNumbers {
  /** One number a class; scales its part of the loss. 'mean' divides by the weights of the targets. */
  classWeights?: Tensor | ArrayLike<number>;
  /** Whether to give the derivative by soft labels. */
  targetGradient?: boolean;
  /** Whether to give `correct` and `logSumExp`, from the same pass. */
  metrics?: boolean;
  /** Whether targets in a tensor are read back and checked too: on the GPU, results then reject with the RangeError. */
  validate?: boolean;
}

/** What `crossEntropy` gives; what was not asked for is not there. */
export interface CrossEntropyResult extends LossResult {
  /** The derivative of the objective by the soft labels, in their shape and dtype; with `targetGradient`. */
  targetGradient?: Tensor;
  /** int32, one a row: 1 where the argmax of the logits is the target's, 0 for ignored rows and those whose loss is NaN; with `metrics`. */
  correct?: Tensor;
  /** float32, one a row: of the logits after softcap and temperature; with `metrics`. */
  logSumExp?: Tensor;
}

const own = [
  'classWeights',
  'ignoreIndex',
  'labelSmoothing',
  'zLoss',
  'softcap',
  'temperature',
  'targetGradient',
  'metrics',
  'validate',
];

/**
 * Cross-entropy of logits and targets (torch.nn.functional.cross_entropy), in nats. Loss, gradient and metrics come from one pass, and
 * the divisor of 'mean' is found on the device.
 *
 * A masked (-Infinity) target has loss +Infinity and gradient -1, or 0 with `softcap`, which is level there. A label of 0 adds nothing, also on
 * a masked class or one whose weight is not finite (there PyTorch gives NaN). Rows without a softmax have loss and gradient NaN, as have those
 * of which some mass is not finite; 'mean' over nothing is NaN with gradient 0.
 * @param logits any shape with a class axis; float32 or float16. Never probabilities
 * @param targets class indices in the shape of the rows (all axes but the class axis), or soft labels in the shape of the logits, which
 *   need not sum to one. An index in a tensor that is no class gives NaN in its row
 * @throws TypeError for indices that are floats, an unknown option, or one that the targets do not have; RangeError for an index that
 *   is no class, with the first bad row, or an option out of range; ShapeError where shapes do not fit
 */
export function crossEntropy(logits: Tensor, targets: Targets, options: CrossEntropyOptions = {}): CrossEntropyResult {
  const fn = 'crossEntropy';
  const call = rowLossCall(fn, 'logits', logits, options, own);
  const { context, input, rows, rowShape } = call;
  const soft = isSoft(targets, input.shape, rowShape);
  const validate = flag(fn, 'validate', options.validate);
  const wantsTargets = flag(fn, 'targetGradient', options.targetGradient);
  if (soft && options.ignoreIndex != null)
    throw new TypeError(`${fn}: "ignoreIndex" cannot be given with soft targets`);
  if (!soft && wantsTargets) throw new TypeError(`${fn}: "targetGradient" needs soft targets, got class indices`);
  const settings = settingsOf(fn, options);
  const ignoreIndex = soft ? null : settings.ignoreIndex;
  const labels = soft ? softLabels(fn, targets, context, input.shape) : undefined;
  const hard = soft ? undefined : indicesFor(call, targets, validate, ignoreIndex);
  const metrics = flag(fn, 'metrics', options.metrics);
  return runRowLoss<'targetGradient' | 'correct' | 'logSumExp'>(call, {
    kernel: crossEntropyKernel,
    ignoreIndex,
    reads: {
      labels,
      targets: hard?.indices,
      classWeights: perClass(call, 'classWeights', options.classWeights),
    },
    writes: {
      targetGradient: wantsTargets ? { dtype: labels?.dtype ?? 'float32', shape: input.shape } : undefined,
      correct: metrics ? { dtype: 'int32', shape: rowShape } : undefined,
      logSumExp: metrics ? { dtype: 'float32', shape: rowShape } : undefined,
    },
    check: hard?.check,
    splits: labels || settings.smoothing || metrics ? undefined : rowSums, // these look at all of a row besides its sum
    uniforms: {
      ...temperatureUniforms(settings.temperature),
      all_classes: rows.classes,
      smoothing: settings.smoothing,
      z_loss: settings.zLoss,
    },
    constants: {
      SMOOTHING: !!settings.smoothing,
      Z_LOSS: !!settings.zLoss,
      SOFTCAP: settings.softcap,
    },
    bindings: ({ labels }) => ({ labels: bound(labels, rows.classes) }),
    extras: ({ targetGradient, correct, logSumExp }) => ({
      target_gradient: bound(targetGradient, rows.classes),
      correct: bound(correct, 1),
      log_sum_exps: bound(logSumExp, 1),
    }),
    cpu: (arrays, reducing) =>
      crossEntropyRows(
        { ...arrays, logits: arrays.input, logSumExps: arrays.logSumExp },
        rows,
        { ...settings, ignoreIndex },
        reducing,
      ),
  });
}
