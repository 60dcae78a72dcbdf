import marginRankingLossKernel from '../../shaders/margin_ranking_loss.wgsl';
import { marginRankingRows } from '../cpu/margin-ranking-loss.js';
import type { Tensor } from '../tensor.js';
import { number } from '../validate.js';
import type { ElementTargets } from './element-loss.js';
import {
  type EmbeddingLossOptions,
  type EmbeddingLossResult,
  embeddingLossCall,
  rowSigns,
  runEmbeddingLoss,
} from './embedding-loss.js';
import { type CheckedTargets, signCheck } from './signs.js';

export interface MarginRankingLossOptions extends EmbeddingLossOptions, CheckedTargets {
  /** By how much the one is to be larger than the other; 0 by default. */
  margin?: number;
}

/**
 * The margin ranking loss (torch.nn.MarginRankingLoss): max(0, margin - target (x1 - x2)), an element at a time. Each element is a row:
 * the loss of reduction 'none', targets and sampleWeights have the shape of the inputs. Exactly at the margin the derivative is that of
 * the inside.
 *
 * NaN, and infinity less itself, give NaN in their element; other infinities follow the formula.
 * @param x1 any shape, a scalar too; float32 or float16
 * @param x2 in the same shape; float32 or float16
 * @param targets 1 where x1 is to be the larger, -1 where x2 is; float32 or float16. Another number in a tensor gives NaN in its element
 * @returns the loss, and with `gradient` the gradients by x1 and x2
 * @throws TypeError for an unknown option; RangeError for a margin that is not finite, or a target in an array that is not -1 or 1, with
 *   the first bad one; ShapeError where shapes do not fit
 */
export function marginRankingLoss(
  x1: Tensor,
  x2: Tensor,
  targets: ElementTargets,
  options: MarginRankingLossOptions = {},
): EmbeddingLossResult<'x1' | 'x2'> {
  const fn = 'marginRankingLoss';
  const call = embeddingLossCall(fn, { x1, x2 }, options, ['margin', 'validate'], true);
  const margin = number(fn, 'margin', options.margin, 0);
  const signs = rowSigns(call, targets);
  return runEmbeddingLoss(call, {
    kernel: marginRankingLossKernel,
    reads: { signs },
    check: signCheck(fn, signs, options.validate, 'at element', 'signs'),
    uniforms: { margin },
    cpu: (arrays, rows, reducing) => marginRankingRows(arrays, rows, margin, reducing),
  });
}
