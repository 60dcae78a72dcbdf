// The best classes of rows of features, queued on the device: with the logits, or where they would be many, without.

import type { HostOperand } from '../backend.js';
import { linearTopK } from '../operations/linear-top-k.js';
import { maskClasses } from '../operations/mask-classes.js';
import { type TopKResult, topK } from '../operations/top-k.js';
import { Tensor } from '../tensor.js';
import { number } from '../validate.js';
import type { HeadParts } from './examples.js';
import { logitsOf, manyLogits, scoresOf } from './logits.js';
import { surenessOf } from './rejection.js';
import { scoped } from './scope.js';

export interface BestOptions {
  readonly k: number;
  readonly temperature: number;
  /** One 0 or 1 a class, where not all may be answered. */
  readonly kept: Uint32Array | null;
  /** Whether to give energies too. */
  readonly energy: boolean;
}

/** How many of the best are asked for: 5 or, where there are fewer classes, all of them. */
export function countOf(fn: string, topK: unknown, classes: number): number {
  const fits = (value: number) => Number.isInteger(value) && value >= 1 && value <= classes;
  return number(fn, 'topK', topK, Math.min(5, classes), `an integer from 1 to ${classes}, the number of classes`, fits);
}

/**
 * The k best scores of each row; what led to them is freed at once.
 *
 * The logits are not stored where they would be many: but on the CPU, whose `linear` is the faster for it; where the features are float16,
 * since scores then are, as their logits are rounded; and where what is asked for needs them all, as `kept` and `energy` do.
 */
export function bestOf(
  head: HeadParts,
  features: Tensor | HostOperand,
  { k, temperature, kept, energy }: BestOptions,
  most?: number,
): TopKResult & { energies?: Tensor } {
  const { weight, bias, activation } = head;
  return scoped((scratch) => {
    const { context } = weight;
    const rows =
      features instanceof Tensor
        ? features
        : scratch(context.tensor(features.values, features.shape, { dtype: features.dtype }));
    const whole = context.backend === 'cpu' || rows.dtype !== 'float32' || kept || energy;
    if (!whole && manyLogits(rows.size / weight.shape[1], weight, most))
      return linearTopK(rows, weight, k, { bias: bias ?? undefined, temperature, activation });
    const logits = scratch(logitsOf(head, rows));
    const scores = scratch(scoresOf({ activation, temperature }, logits));
    const best = topK(kept ? scratch(maskClasses(scores, kept)) : scores, k);
    if (!energy) return best;
    const matrix = logits.shape.length === 2; // else one row, and one energy all the same
    return { ...best, energies: surenessOf(logits, null, 'energy', temperature, matrix) };
  });
}
