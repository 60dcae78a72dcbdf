import klDivLossKernel from '../../shaders/kl_div_loss.wgsl';
import { klDivElement } from '../cpu/kl-div-loss.js';
import type { Tensor } from '../tensor.js';
import { flag } from '../validate.js';
import { type ElementLossOptions, type ElementTargets, elementLossCall, runElementLoss } from './element-loss.js';
import type { LossResult, Reduction } from './row-loss.js';

/** Options of `klDivLoss`, beside those of every elementwise loss. */
export interface KLDivLossOptions extends Omit<ElementLossOptions, 'reduction'> {
  /** 'mean' by default, which divides by the elements; 'batchmean' divides by the length of the first axis, as the mathematics has it. */
  reduction?: Reduction | 'batchmean';
  /** Whether the targets are log-probabilities too. */
  logTarget?: boolean;
}

/**
 * Kullback-Leibler divergence of distributions given as log-probabilities (torch.nn.KLDivLoss), in nats: t (log t - x), an element at a
 * time. For logits there is `klDivergence`.
 *
 * A target of probability 0 adds 0, on a log-probability of -Infinity too, where any other target gives +Infinity. NaN, a probability
 * below 0 and a target of +Infinity give NaN in their element.
 * @param logProbabilities any shape; float32 or float16
 * @param targets probabilities in the same shape, or log-probabilities with `logTarget`; float32 or float16
 * @throws TypeError for an unknown option; ShapeError where shapes do not fit
 */
export function klDivLoss(
  logProbabilities: Tensor,
  targets: ElementTargets,
  options: KLDivLossOptions = {},
): LossResult {
  const fn = 'klDivLoss';
  const reductions = ['none', 'mean', 'sum', 'batchmean'] as const;
  const call = elementLossCall(fn, 'logProbabilities', logProbabilities, targets, options, ['logTarget'], reductions);
  const logTarget = flag(fn, 'logTarget', options.logTarget);
  return runElementLoss(call, {
    kernel: klDivLossKernel,
    element: klDivElement(logTarget),
    constants: { LOG_TARGET: logTarget },
  });
}
