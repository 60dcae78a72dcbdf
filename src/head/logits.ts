// What a head makes of rows of features: logits, and scores of them.

import { linear } from '../operations/linear.js';
import { sigmoid } from '../operations/sigmoid.js';
import { softmax } from '../operations/softmax.js';
import type { Tensor } from '../tensor.js';
import type { HeadParts } from './examples.js';

/** Whether logits are so many, more than 16 MiB, that a head makes them in tiles and stores none, where it can. */
export const manyLogits = (rows: number, { shape }: Tensor, most = 2 ** 22): boolean => rows * shape[0] > most;

export const logitsOf = ({ weight, bias }: Pick<HeadParts, 'weight' | 'bias'>, rows: Tensor): Tensor =>
  linear(rows, weight, { bias: bias ?? undefined });

export const scoresOf = ({ activation, temperature }: Pick<HeadParts, 'activation' | 'temperature'>, logits: Tensor) =>
  (activation === 'sigmoid' ? sigmoid : softmax)(logits, { temperature });
