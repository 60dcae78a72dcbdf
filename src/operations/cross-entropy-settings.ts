// The options of cross-entropy that are numbers, for logits that are stored and logits that are not.

import type { CrossEntropySettings } from '../cpu/cross-entropy.js';
import { fromZero, positive, share } from '../validate.js';
import { ignoreIndexOf } from './targets.js';

/** Those options of `crossEntropy` that are numbers. */
export interface CrossEntropyNumbers {
  /** Rows with this target add nothing and have gradient 0; -100 by default, null for none. Refused with soft labels. */
  ignoreIndex?: number | null;
  /** From 0 to 1: labels become (1 - labelSmoothing) label + labelSmoothing / classes. */
  labelSmoothing?: number;
  /** Adds zLoss x logSumExp^2 to each row's loss, which keeps logits near 0 (PaLM, ST-MoE). */
  zLoss?: number;
  /** Logits pass through softcap x tanh(logit / softcap) first (Gemma 2). */
  softcap?: number;
  /** Then they are divided by it; 1 by default. */
  temperature?: number;
}

export function settingsOf(fn: string, options: CrossEntropyNumbers): CrossEntropySettings {
  const { ignoreIndex, labelSmoothing, zLoss, softcap, temperature } = options;
  return {
    ignoreIndex: ignoreIndexOf(fn, ignoreIndex),
    smoothing: share(fn, 'labelSmoothing', labelSmoothing, 0),
    zLoss: fromZero(fn, 'zLoss', zLoss, 0),
    softcap: softcap === undefined ? 0 : positive(fn, 'softcap', softcap, 1),
    temperature: positive(fn, 'temperature', temperature, 1),
  };
}
