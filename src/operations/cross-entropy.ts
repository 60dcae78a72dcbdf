import countTargetsKernel from '../../shaders/count_targets.wgsl';
import crossEntropyKernel from '../../shaders/cross_entropy.wgsl';
import sumRowsKernel from '../../shaders/sum_rows.wgsl';
import type { Bound, GpuWork, Storage } from '../backend.js';
import { type CrossEntropySettings, crossEntropyRows } from '../cpu/cross-entropy.js';
import { type Rows, rowsOf, withoutAxis } from '../rows.js';
import { Tensor } from '../tensor.js';
import { choice, classAxis, flag, knownOptions, number } from '../validate.js';
import { expectTensor, operand, result } from './operands.js';
import { classIndices, expectClasses, type Targets } from './targets.js';
import { temperatureUniforms } from './temperature.js';

export type Reduction = 'mean' | 'sum' | 'none';

export interface CrossEntropyOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** 'mean' (default) divides the sum by the number of rows that are not ignored. */
  reduction?: Reduction;
  /** Rows with this target add nothing and have gradient 0; -100 by default, null for none. */
  ignoreIndex?: number | null;
  /** Whether to give the derivative by the logits too, from the same pass. */
  gradient?: boolean;
  /** Where to write the gradient; may be the logits themselves. Implies `gradient`. */
  gradientOut?: Tensor;
  /** The derivative of the objective by the loss, in the shape of the loss; 1 by default. */
  upstream?: number | Tensor | ArrayLike<number>;
  /** Whether targets in a tensor are read back and checked too: results then reject with the RangeError. */
  validate?: boolean;
}

export interface CrossEntropyResult {
  /** float32: a scalar, or with reduction 'none' one a row. */
  loss: Tensor;
  /** The derivative of the objective by the logits, in their shape and dtype; where it was asked for. */
  gradient?: Tensor;
}

const optionNames = ['axis', 'reduction', 'ignoreIndex', 'gradient', 'gradientOut', 'upstream', 'validate'];

/**
 * Cross-entropy of logits and class indices (torch.nn.functional.cross_entropy), in nats: the negative log-probability of each
 * row's target. Loss and gradient come from one pass, and the divisor of 'mean' is found on the device.
 *
 * A masked (-Infinity) target has loss +Infinity and gradient -1; rows without a softmax have loss and gradient NaN; 'mean' over
 * nothing is NaN with gradient 0.
 * @param logits any shape with a class axis; float32 or float16. Never probabilities
 * @param targets class indices in the shape of the rows (all axes but the class axis). A target in a tensor that is no class gives
 *   NaN in its row
 * @throws TypeError for targets that are floats or an unknown option; RangeError for a target that is no class, with the first bad
 *   row; ShapeError where shapes do not fit
 */
export function crossEntropy(logits: Tensor, targets: Targets, options: CrossEntropyOptions = {}): CrossEntropyResult {
  const fn = 'crossEntropy';
  knownOptions(fn, options, optionNames);
  const { context, shape, dtype } = expectTensor(fn, 'logits', logits);
  const axis = classAxis(fn, shape, options.axis);
  const rows = rowsOf(shape, axis);
  const rowShape = withoutAxis(shape, axis);
  const settings: CrossEntropySettings = {
    reduction: choice(fn, 'reduction', options.reduction, ['none', 'mean', 'sum'], 'mean'),
    ignoreIndex:
      options.ignoreIndex === null
        ? null
        : number(fn, 'ignoreIndex', options.ignoreIndex, -100, 'an integer of int32, or null', (v) => v === (v | 0)),
  };
  const indices = classIndices(fn, targets, context, rowShape, rows.classes, settings.ignoreIndex);
  const lossShape = settings.reduction === 'none' ? rowShape : [];
  const { upstream, gradientOut } = options;
  const wantsGradient = flag(fn, 'gradient', options.gradient) || gradientOut !== undefined;
  const scalars = { dtype: 'float32', shape: lossShape } as const;
  const check = flag(fn, 'validate', options.validate) && indices instanceof Tensor;
  return context.run({
    name: fn,
    reads: {
      logits,
      targets: indices,
      upstream:
        upstream === undefined ? undefined : operand(fn, 'upstream', upstream, context, scalars, 'as the loss has'),
    },
    writes: {
      loss: scalars,
      gradient: wantsGradient ? result(fn, 'gradientOut', gradientOut, context, { dtype, shape }) : undefined,
    },
    check: check
      ? { of: 'targets', expect: (values) => expectClasses(fn, values, rows.classes, settings.ignoreIndex) }
      : undefined,
    cpu: ({ logits, targets, upstream, loss, gradient }) =>
      crossEntropyRows({ logits, targets, upstream, loss, gradient }, rows, settings),
    gpu: (gpu, storages) => runOnGpu(gpu, storages, rows, settings),
  });
}

function runOnGpu(gpu: GpuWork, storages: Record<string, Storage>, rows: Rows, settings: CrossEntropySettings): void {
  const { logits, targets, upstream, loss, gradient } = storages;
  const { reduction, ignoreIndex } = settings;
  const ignore = { ignores: ignoreIndex === null ? 0 : 1, ignore_index: ignoreIndex ?? 0 };
  const all: Rows = { outer: 1, classes: rows.count, inner: 1, count: 1 };
  const divisor = reduction === 'mean' ? gpu.scratch('float32', 1) : null;
  const divisorBinding: Record<string, Bound> = divisor ? { divisor: [divisor, 0] } : {};
  const losses = reduction === 'none' ? loss : gpu.scratch('float32', rows.count);
  if (divisor) {
    gpu.rows({
      kernel: countTargetsKernel,
      rows: all,
      bindings: { targets: [targets, 0], divisor: [divisor, 0] },
      uniforms: { count: rows.count, ...ignore },
    });
  }
  gpu.rows({
    kernel: crossEntropyKernel,
    rows,
    bindings: {
      input: [logits, rows.classes],
      targets: [targets, 1],
      losses: [losses, 1],
      ...divisorBinding,
      ...(gradient ? { output: [gradient, rows.classes] } : {}),
      ...(upstream ? { upstream: [upstream, reduction === 'none' ? 1 : 0] } : {}),
    },
    uniforms: { ...temperatureUniforms(1), ...ignore },
    constants: { UPSTREAM_STRIDE: reduction === 'none' ? 1 : 0 },
  });
  if (reduction !== 'none') {
    gpu.rows({
      kernel: sumRowsKernel,
      rows: all,
      bindings: { losses: [losses, 0], total: [loss, 0], ...divisorBinding },
      uniforms: { count: rows.count },
    });
  }
}
