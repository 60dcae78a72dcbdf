// When a row is of none of a head's classes.

import { crossEntropy } from '../operations/cross-entropy.js';
import { topK } from '../operations/top-k.js';
import type { Tensor } from '../tensor.js';
import { shown } from '../validate.js';
import type { Activation } from './activation.js';

/** When a row is of none of a head's classes: where its score is below a number. */
export interface Rejection {
  /**
   * 'probability': of the best answer. 'energy': temperature x logSumExp(logits / temperature), the energy's negative (Liu and others 2020,
   * Energy-based Out-of-distribution Detection).
   */
  readonly score: 'probability' | 'energy';
  /** Rows whose score is below it are of none of the classes. */
  readonly below: number;
}

export const isRejection = (value: unknown): value is Rejection => {
  const { score, below } = (value ?? {}) as Rejection;
  return (score === 'probability' || score === 'energy') && typeof below === 'number' && !Number.isNaN(below);
};

/** What `predict` is to reject by, for a head of an activation: a number is of the probability; null is nothing. */
export function rejectionOf(fn: string, given: unknown, activation: Activation): Rejection | null {
  if (given === null) return null;
  const rejection = typeof given === 'number' ? { score: 'probability', below: given } : given;
  if (!isRejection(rejection))
    throw new TypeError(`${fn}: "rejectBelow" must be a number or what fitRejection gives, got ${shown(given)}`);
  if (rejection.score === 'energy' && activation === 'sigmoid')
    throw new TypeError(`${fn}: a sigmoid head has no energy; its rejection is by "probability"`);
  return rejection;
}

/** One score a row, the larger the surer; on the device. NaN where a row has no answer. */
export function surenessOf(
  logits: Tensor,
  scores: Tensor | null,
  by: Rejection['score'],
  temperature: number,
  matrix = true,
): Tensor {
  if (by === 'energy') {
    const targets = new Int32Array(matrix ? logits.shape[0] : 1);
    const { loss, correct, logSumExp } = crossEntropy(logits, targets, { metrics: true, temperature });
    loss.dispose();
    correct!.dispose();
    return logSumExp!;
  }
  const { values, indices } = topK(scores!, 1);
  indices.dispose();
  return values;
}
