// Numbers about scores: pure functions.
import type { Prediction } from '../src/index.ts';
import { classes } from './digits.ts';

/** The best class of one row's scores; the first of equals. */
export const bestOf = (scores: Float32Array): number =>
  scores.reduce((best, score, i) => (score > scores[best] ? i : best), 0);

/** The best digits of so many rows of ten scores. */
export const answersOf = (scores: Float32Array): Uint8Array =>
  Uint8Array.from({ length: scores.length / classes }, (_, row) =>
    bestOf(scores.subarray(row * classes, (row + 1) * classes)),
  );

/** [rows, count] in the order of the classes, from lists that hold all of them. */
export function scoresOf(predictions: readonly (readonly Prediction[])[], count: number): Float32Array {
  const scores = new Float32Array(predictions.length * count);
  predictions.forEach((answers, row) => {
    for (const { index, score } of answers) scores[row * count + index] = score;
  });
  return scores;
}

export interface Comparison {
  readonly rows: number;
  readonly largestDifference: number;
  readonly equalAnswers: number;
}

export function compare(a: Float32Array, b: Float32Array): Comparison {
  const [answersA, answersB] = [answersOf(a), answersOf(b)];
  return {
    rows: answersA.length,
    largestDifference: a.reduce((largest, score, i) => Math.max(largest, Math.abs(score - b[i])), 0),
    equalAnswers: answersA.filter((answer, row) => answer === answersB[row]).length,
  };
}

/** "97.3 %", and no rounding up to certainty. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return '< 0.1\u00a0%';
  if (share < 1 && share > 0.999) return '> 99.9\u00a0%';
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

/** "3.0 × 10⁻⁷" */
export function small(value: number): string {
  if (value === 0) return '0';
  const [digits, exponent] = value.toExponential(1).split('e');
  const raised = [...exponent.replace('+', '')].map((sign) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(sign)] ?? '⁻').join('');
  return `${digits} × 10${raised}`;
}
