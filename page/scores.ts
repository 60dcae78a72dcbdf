// Numbers about scores: pure functions, [rows, 10] in, facts out.
import { classes } from './digits.ts';

/** The best class of one row; the first of equals. */
export function bestOf(scores: Float32Array, row = 0): number {
  let best = 0;
  for (let c = 1; c < classes; c++) if (scores[row * classes + c] > scores[row * classes + best]) best = c;
  return best;
}

export const answersOf = (scores: Float32Array): Uint8Array =>
  Uint8Array.from({ length: scores.length / classes }, (_, row) => bestOf(scores, row));

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
