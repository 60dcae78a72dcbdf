// How cases, times and figures are written.
import type { Case, Contender, OperationName, Times } from '../../bench/speed/types.ts';

export type TimeName = 'resident' | 'endToEnd';
export type ScaleName = 'log' | 'linear';

export const operationWords: Record<OperationName, string> = {
  softmax: 'softmax',
  logSoftmax: 'logSoftmax',
  crossEntropy: 'crossEntropy',
  crossEntropyGradient: 'crossEntropy + gradient',
  argmax: 'argmax',
  topK: 'topK of 5',
  predict: 'predict, 5 best',
  linearLoss: 'linear + crossEntropy',
  linearGradients: 'linear + crossEntropy, gradients',
};

export const kindWords: Record<Contender['kind'], string> = {
  crosshead: 'crosshead',
  peer: 'Other libraries',
  plain: 'By hand',
  limit: 'The limit',
};

export const count = (value: number): string => value.toLocaleString('en');

/** `1,024 × 1,000`, `64 × 768 → 1,000`: rows and classes, or rows, features and classes. */
export const shapeWords = ({ rows, features, classes }: Case): string =>
  features ? `${count(rows)} × ${count(features)} → ${count(classes)}` : `${count(rows)} × ${count(classes)}`;

/** Three digits that count: `0.00123`, `12.3`, `1,230`. */
export function figure(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 });
}

export const spread = ({ p10, p90 }: Times): string => `${figure(p10)} – ${figure(p90)}`;

/** `3.0e-7`, `0.11` */
export const errorWords = (error: number): string =>
  error > 0 && error < 0.001 ? error.toExponential(1) : figure(error);

/** `45 s`, `3 min 20 s` */
export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
