// For tests of what befalls all operations alike.
import {
  argmax,
  crossEntropy,
  linear,
  logSoftmax,
  logSumExp,
  sigmoid,
  softmax,
  type Tensor,
  topK,
} from '../../src/index.ts';

/** One call of every operation, each with one result. */
export const calls: [name: string, call: (x: Tensor) => Tensor][] = [
  ['softmax', (x) => softmax(x)],
  ['logSoftmax', (x) => logSoftmax(x)],
  ['logSumExp', (x) => logSumExp(x)],
  ['sigmoid', (x) => sigmoid(x)],
  ['argmax', (x) => argmax(x)],
  ['topK', (x) => topK(x, 2).indices],
  ['linear', (x) => linear(x, x, { bias: [0, 1] })],
  ['crossEntropy', (x) => crossEntropy(x, [0, 2], { gradient: true }).gradient!],
  ['crossEntropy, validated', (x) => crossEntropy(x, argmax(x), { validate: true }).loss],
];
export const numbers = [
  [1, 2, 3],
  [0, -1, 4],
];
