import klDivergenceKernel from '../../shaders/kl_divergence.wgsl';
import { klDivergenceRows } from '../cpu/kl-divergence.js';
import type { Tensor } from '../tensor.js';
import { positive } from '../validate.js';
import { type LossResult, type Reduction, type RowLossOptions, rowLossCall, runRowLoss } from './row-loss.js';
import { softLabels, type Targets } from './targets.js';
import { temperatureUniforms } from './temperature.js';

/** Options of `klDivergence`, beside those of every loss with a class axis. */
export interface KLDivergenceOptions extends Omit<RowLossOptions, 'reduction'> {
  /** 'mean' by default; 'batchmean' divides the sum by the rows, also with sampleWeights; 'none' gives one loss a row. */
  reduction?: Reduction | 'batchmean';
  /** The logits are divided by it; 1 by default. The loss is not multiplied by its square. */
  temperature?: number;
}

/**
 * Kullback-Leibler divergence KL(target || softmax(logits / temperature)) of each row, in nats, as distillation has it: the sum over the
 * classes of t (log t - log p) (Kullback and Leibler 1951, On Information and Sufficiency). 'mean' divides by the rows, or by the sum of
 * the sampleWeights.
 *
 * A target of 0 adds nothing, on a masked (-Infinity) class too; other targets on a masked class give +Infinity. A row that is all
 * -Infinity, or holds NaN or +Infinity, has loss and gradient NaN.
 * @param logits any shape with a class axis; float32 or float16. Never probabilities
 * @param targetProbabilities in the shape of the logits; float32 or float16. They need not sum to one; one that is negative or not finite
 *   gives NaN in its row
 * @throws TypeError for an unknown option; RangeError for a temperature that is not positive; ShapeError where shapes do not fit
 */
export function klDivergence(
  logits: Tensor,
  targetProbabilities: Targets,
  options: KLDivergenceOptions = {},
): LossResult {
  const fn = 'klDivergence';
  const reductions = ['none', 'mean', 'sum', 'batchmean'] as const;
  const call = rowLossCall(fn, 'logits', logits, options, ['temperature'], reductions);
  const { context, input, rows } = call;
  const temperature = positive(fn, 'temperature', options.temperature, 1);
  return runRowLoss(call, {
    kernel: klDivergenceKernel,
    reads: { labels: softLabels(fn, targetProbabilities, context, input.shape, 'targetProbabilities') },
    uniforms: temperatureUniforms(temperature),
    bindings: ({ labels }) => ({ labels: [labels, rows.classes] }),
    cpu: (arrays, reducing) => klDivergenceRows(arrays, rows, temperature, reducing),
  });
}
