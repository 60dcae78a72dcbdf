import jsDivergenceKernel from '../../shaders/js_divergence.wgsl';
import ioPair from '../../shaders/lib/io_pair.wgsl';
import { jsDivergenceRows } from '../cpu/js-divergence.js';
import type { Tensor } from '../tensor.js';
import { expectShape } from '../validate.js';
import { bound } from './bindings.js';
import { expectOf } from './operands.js';
import { type RowLossOptions, rowLossCall, runRowLoss } from './row-loss.js';
import { temperatureUniforms } from './temperature.js';

/** Options of every loss with a class axis but `gradientOut`: there are two gradients. */
export type JSDivergenceOptions = Omit<RowLossOptions, 'gradientOut'>;

/** What `jsDivergence` gives. */
export interface JSDivergenceResult {
  /** float32: a scalar, or with reduction 'none' one a row. */
  loss: Tensor;
  /** The derivatives of the objective by both inputs, in their shape and dtype; with `gradient`. */
  gradients?: { logitsA: Tensor; logitsB: Tensor };
}

/**
 * Jensen-Shannon divergence of the softmaxes of each row, in nats, from 0 to log 2: (KL(P || M) + KL(Q || M)) / 2 with M = (P + Q) / 2
 * (Lin 1991, Divergence Measures Based on the Shannon Entropy, eq. 4.1 with equal weights). It keeps its digits also where the two are
 * nearly equal. 'mean' divides by the rows, or by the sum of the sampleWeights.
 *
 * A class that is masked (-Infinity) in one has gradient 0 there; masked in both, it adds nothing. A row that is all -Infinity, or holds
 * NaN or +Infinity, in either input, has loss and both gradients NaN.
 * @param logitsA any shape with a class axis; float32 or float16. Never probabilities
 * @param logitsB in the same shape and dtype
 * @throws TypeError for an unknown option, or a logitsB of another dtype or context; RangeError for an axis that does not fit;
 *   ShapeError where shapes do not fit
 */
export function jsDivergence(logitsA: Tensor, logitsB: Tensor, options: JSDivergenceOptions = {}): JSDivergenceResult {
  const fn = 'jsDivergence';
  const call = rowLossCall(fn, 'logitsA', logitsA, options, []);
  const { context, input, rows, writes } = call;
  if ('gradientOut' in options) throw new TypeError(`${fn}: "gradientOut" cannot be given: there are two gradients`);
  const { dtype, shape } = input;
  expectShape(fn, 'logitsB', expectOf(fn, 'logitsB', logitsB, context, [dtype]).shape, shape, 'as "logitsA" has');
  const { loss, gradientA, gradientB } = runRowLoss<'gradientA' | 'gradientB'>(
    { ...call, writes: { loss: writes.loss } },
    {
      kernel: jsDivergenceKernel,
      seams: { io: ioPair },
      reads: { other: logitsB },
      writes: { gradientA: writes.gradient && { dtype, shape }, gradientB: writes.gradient && { dtype, shape } },
      uniforms: temperatureUniforms(1),
      bindings: ({ other, gradientA, gradientB }) => ({
        other: [other, rows.classes],
        gradient_a: bound(gradientA, rows.classes),
        gradient_b: bound(gradientB, rows.classes),
      }),
      cpu: (arrays, reducing) => jsDivergenceRows({ ...arrays, other: arrays.other }, rows, reducing),
    },
  );
  return writes.gradient ? { loss, gradients: { logitsA: gradientA, logitsB: gradientB } } : { loss };
}
