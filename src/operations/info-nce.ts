import type { Spec } from '../backend.js';
import type { Tensor } from '../tensor.js';
import { expectShape, flag, knownOptions, positive } from '../validate.js';
import type { EmbeddingLossOptions, EmbeddingLossResult } from './embedding-loss.js';
import { runLinearLoss } from './linear-loss.js';
import { expectClassesOf, linearHead } from './linear-product.js';
import { expectOf, floats } from './operands.js';

export interface InfoNCEOptions extends EmbeddingLossOptions {
  /** What the dot products are divided by; 0.07 by default. */
  temperature?: number;
}

/**
 * InfoNCE (van den Oord et al. 2018, with the temperature of He et al. 2020): cross-entropy of each query's dot products with all keys,
 * key i being query i's positive and the other keys of the batch its negatives. The vectors are taken as they are, not normalised. The
 * matrix of dot products is never stored.
 *
 * A query that holds NaN or an infinity has loss NaN; a key that does makes every row NaN.
 * @param queries [N, D]; float32 or float16
 * @param keys [N, D]; float32 or float16
 * @returns the loss, and with `gradient` the gradients by queries and keys
 * @throws TypeError for an unknown option; RangeError for a temperature out of range; ShapeError where shapes do not fit
 */
export function infoNCE(
  queries: Tensor,
  keys: Tensor,
  options: InfoNCEOptions = {},
): EmbeddingLossResult<'queries' | 'keys'> {
  const fn = 'infoNCE';
  knownOptions(fn, options, ['reduction', 'gradient', 'upstream', 'sampleWeights', 'temperature']);
  const head = linearHead(fn, 'queries', queries, keys, {}, 'keys');
  const { context, rows } = head;
  expectOf(fn, 'keys', keys, context, floats);
  expectShape(fn, 'keys', keys.shape, queries.shape, 'as "queries" has');
  if (queries.shape[0] > 0) expectClassesOf(fn, head);
  const wants = flag(fn, 'gradient', options.gradient);
  const temperature = positive(fn, 'temperature', options.temperature, 0.07);
  const { loss, featuresGradient, weight0Gradient } = runLinearLoss(
    {
      fn,
      head,
      settings: { ignoreIndex: null, smoothing: 0, zLoss: 0, softcap: 0, temperature },
      reads: {
        targets: { dtype: 'int32', shape: [rows.count], values: Int32Array.from({ length: rows.count }, (_, i) => i) },
      },
      writes: wants ? { featuresGradient: like(queries), weight0Gradient: like(keys) } : {},
    },
    options,
  );
  return { loss, ...(wants ? { gradients: { queries: featuresGradient, keys: weight0Gradient } } : {}) };
}

const like = ({ dtype, shape }: Tensor): Spec => ({ dtype, shape });
