import entropyKernel from '../../shaders/entropy.wgsl';
import { entropyRows } from '../cpu/entropy.js';
import { rowsOf, withoutAxis } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { classAxis, knownOptions } from '../validate.js';
import { expectTensor, result } from './operands.js';
import { type RowGradientOptions, rowGradient } from './row-gradient.js';
import { type LossResult, type RowLossOptions, rowLossCall, runRowLoss } from './row-loss.js';
import { temperatureUniforms } from './temperature.js';

/** Options of `entropy`. */
export interface EntropyOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** Where to write the result. */
  out?: Tensor;
}

const uniforms = { ...temperatureUniforms(1), divided_by: 1 };

/**
 * The entropy of the softmax of each row: -sum of p log p, in nats (Shannon 1948, A Mathematical Theory of Communication).
 *
 * A class at -Infinity adds 0. A row that is all -Infinity, or holds NaN or +Infinity, is NaN.
 * @param logits any shape with at least one axis; float32 or float16. Never probabilities
 * @returns one float32 a row: the shape without the class axis
 * @throws RangeError for an axis that does not fit or an empty class axis
 */
export function entropy(logits: Tensor, options: EntropyOptions = {}): Tensor {
  const fn = 'entropy';
  knownOptions(fn, options, ['axis', 'out']);
  const { context, shape } = expectTensor(fn, 'logits', logits);
  const axis = classAxis(fn, shape, options.axis);
  const rows = rowsOf(shape, axis);
  const spec = { dtype: 'float32', shape: withoutAxis(shape, axis) } as const;
  const { entropies } = context.run({
    name: fn,
    reads: { logits },
    writes: { entropies: result(fn, 'out', options.out, context, spec) },
    cpu: (arrays) => entropyRows({ input: arrays.logits, loss: arrays.entropies }, rows, { none: true, divisor: 1 }),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: entropyKernel,
        rows,
        bindings: { input: [storages.logits, rows.classes], losses: [storages.entropies, 1] },
        uniforms,
      }),
  });
  return entropies;
}

/**
 * The derivative of the objective by the logits of `entropy`: upstream x p (distance - sum of p distance), the distance being the
 * largest logit less the logit.
 *
 * A class at -Infinity has 0. A row that is all -Infinity, or holds NaN or +Infinity, is NaN.
 * @param logits what `entropy` was given
 * @param upstream the derivative of the objective by the entropies: one a row
 * @returns in the shape and dtype of the logits
 * @throws RangeError for an axis that does not fit or an empty class axis; ShapeError where upstream has another shape
 */
export function entropyGradient(
  logits: Tensor,
  upstream: Tensor | ArrayLike<number>,
  options?: RowGradientOptions,
): Tensor {
  return rowGradient(
    'entropyGradient',
    logits,
    upstream,
    options,
    entropyKernel,
    uniforms,
    (input, slopes, gradient, rows) => {
      const unread = new Float32Array(rows.count);
      entropyRows({ input, loss: unread, gradient, upstream: slopes }, rows, { none: true, divisor: 1 });
    },
  );
}

/**
 * The entropy of the softmax of each row as a loss, in nats (Shannon 1948, A Mathematical Theory of Communication): its gradient makes
 * predictions more certain, and with a negative `upstream` less so. 'mean' divides by the rows, or by the sum of the sampleWeights.
 *
 * A class at -Infinity adds 0 and has gradient 0; a row that is all -Infinity, or holds NaN or +Infinity, has loss and gradient NaN.
 * @param logits any shape with a class axis; float32 or float16. Never probabilities
 * @throws TypeError for an unknown option; RangeError for an axis that does not fit; ShapeError where shapes do not fit
 */
export function entropyLoss(logits: Tensor, options: RowLossOptions = {}): LossResult {
  const call = rowLossCall('entropyLoss', 'logits', logits, options, []);
  return runRowLoss(call, {
    kernel: entropyKernel,
    uniforms: temperatureUniforms(1),
    cpu: (arrays, reducing) => entropyRows(arrays, call.rows, reducing),
  });
}
