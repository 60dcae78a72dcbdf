import contrastiveLossKernel from '../../shaders/contrastive_loss.wgsl';
import type { HostOperand } from '../backend.js';
import { contrastiveRows } from '../cpu/contrastive-loss.js';
import { Tensor } from '../tensor.js';
import { flag, number } from '../validate.js';
import {
  type EmbeddingLossOptions,
  type EmbeddingLossResult,
  embeddingLossCall,
  runEmbeddingLoss,
} from './embedding-loss.js';
import { operand } from './operands.js';
import type { CheckedTargets } from './signs.js';

export interface ContrastiveLossOptions extends EmbeddingLossOptions, CheckedTargets {
  /** How far apart a pair that is not similar is to be; 1 by default. */
  margin?: number;
}

/**
 * The contrastive loss (Hadsell, Chopra and LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping, eq. 4): with D the
 * Euclidean distance, D^2 / 2 for a similar pair and max(0, margin - D)^2 / 2 for the others, a row at a time. The gradient of a pair
 * that is not similar is 0 where D is 0.
 *
 * A row that holds a NaN or an infinity, or a difference beyond float32, has loss and gradients NaN.
 * @param x1 [..., features]; float32 or float16
 * @param x2 in the same shape; float32 or float16
 * @param similar one a row, 1 for a similar pair and 0 for the others; int32. Another number in a tensor gives NaN in its row
 * @returns the loss, and with `gradient` the gradients by x1 and x2
 * @throws TypeError for an unknown option; RangeError for a margin that is not finite, a scalar, or a number in an array that is not 0
 *   or 1, with the first bad row; ShapeError where shapes do not fit
 */
export function contrastiveLoss(
  x1: Tensor,
  x2: Tensor,
  similar: Tensor | ArrayLike<number>,
  options: ContrastiveLossOptions = {},
): EmbeddingLossResult<'x1' | 'x2'> {
  const fn = 'contrastiveLoss';
  const call = embeddingLossCall(fn, { x1, x2 }, options, ['margin', 'validate']);
  const margin = number(fn, 'margin', options.margin, 1);
  const spec = { dtype: 'int32', shape: call.rowShape } as const;
  const kinds: Tensor | HostOperand = operand(fn, 'similar', similar, call.context, spec, 'one a row');
  const validate = flag(fn, 'validate', options.validate);
  if (!(kinds instanceof Tensor)) expectKinds(fn, kinds.values);
  return runEmbeddingLoss(call, {
    kernel: contrastiveLossKernel,
    reads: { similar: kinds },
    check: validate ? { of: 'similar', expect: (values) => expectKinds(fn, values) } : undefined,
    uniforms: { margin },
    cpu: (arrays, rows, reducing) => contrastiveRows(arrays, rows, margin, reducing),
  });
}

function expectKinds(fn: string, similar: ArrayLike<number>): void {
  for (let row = 0; row < similar.length; row++) {
    if (similar[row] === 0 || similar[row] === 1) continue;
    throw new RangeError(`${fn}: "similar" must be 0 or 1, got ${similar[row]} in row ${row}`);
  }
}
