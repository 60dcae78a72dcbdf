import tripletMarginLossKernel from '../../shaders/triplet_margin_loss.wgsl';
import { tripletMarginRows } from '../cpu/triplet-margin-loss.js';
import type { Tensor } from '../tensor.js';
import { flag, fromZero, number, positive as positiveNumber } from '../validate.js';
import {
  type EmbeddingLossOptions,
  type EmbeddingLossResult,
  embeddingLossCall,
  runEmbeddingLoss,
} from './embedding-loss.js';

export interface TripletMarginLossOptions extends EmbeddingLossOptions {
  /** How much farther the negative is to be than the positive; 1 by default. */
  margin?: number;
  /** The norm of the distances; 2 by default, the Euclidean one. */
  p?: number;
  /** Added to each difference, so that no distance of equal vectors is 0; 1e-6 by default. */
  eps?: number;
  /** Whether the distance of positive and negative counts where it is less than that of anchor and negative (Balntas et al. 2016). */
  swap?: boolean;
}

/**
 * The triplet margin loss (torch.nn.TripletMarginLoss): max(0, margin + |anchor - positive| - |anchor - negative|), a row at a time,
 * with distances (sum of |a - b + eps|^p)^(1/p) in the unit of the features. Exactly at the margin the derivative is that of the inside.
 *
 * A row that holds a NaN or an infinity, or a difference beyond float32, has loss and gradients NaN.
 * @param anchor [..., features]; float32 or float16
 * @param positive in the same shape, to be near the anchor; float32 or float16
 * @param negative in the same shape, to be far from it; float32 or float16
 * @returns the loss, and with `gradient` the gradients by anchor, positive and negative
 * @throws TypeError for an unknown option; RangeError for an option out of range, or a scalar; ShapeError where shapes do not fit
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): EmbeddingLossResult<'anchor' | 'positive' | 'negative'> {
  const fn = 'tripletMarginLoss';
  const inputs = { anchor, positive, negative };
  const call = embeddingLossCall(fn, inputs, options, ['margin', 'p', 'eps', 'swap']);
  const margin = number(fn, 'margin', options.margin, 1);
  const p = positiveNumber(fn, 'p', options.p, 2);
  const eps = fromZero(fn, 'eps', options.eps, 1e-6);
  const swap = flag(fn, 'swap', options.swap);
  return runEmbeddingLoss(call, {
    kernel: tripletMarginLossKernel,
    uniforms: { margin, p, eps },
    constants: { SWAP: swap, SQUARED: p === 2 },
    cpu: (arrays, rows, reducing) => tripletMarginRows(arrays, rows, { margin, p, eps, swap }, reducing),
  });
}
