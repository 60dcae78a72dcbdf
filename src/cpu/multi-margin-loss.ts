// Twin of shaders/multi_margin_loss.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { noAnswer, type Reducing, type RowLossArrays, type RowTerms, rowLosses } from './row-loss.js';
import { isUndefined, rowMaximum } from './row-sum.js';

export interface MultiMarginLossArrays extends RowLossArrays {
  readonly input: Values; // logits
  readonly targets: Values; // (rows)
  readonly scales?: Values; // (classes)
}

export interface MultiMarginLossSettings {
  readonly p: number; // 1 or 2
  readonly margin: number;
}

export function multiMarginLossRows(
  arrays: MultiMarginLossArrays,
  rows: Rows,
  settings: MultiMarginLossSettings,
  reducing: Reducing,
): void {
  rowLosses(arrays, rows, reducing, (r, start) => termsOf(arrays, rows, settings, arrays.targets[r], start));
}

function termsOf(
  { input, scales }: MultiMarginLossArrays,
  { classes, inner }: Rows,
  { p, margin }: MultiMarginLossSettings,
  target: number,
  start: number,
): RowTerms {
  const known = target >= 0 && target < classes;
  if (!known || isUndefined(rowMaximum(input, start, inner, classes))) return noAnswer;
  const chosen = input[start + target * inner];
  const weight = scales?.[target] ?? 1;
  if (weight === 0) return { loss: 0, derivative: () => 0 };
  /** By how much the target fails to lead a class by the margin; a masked class it leads. */
  const shortOf = (c: number, i: number) =>
    c === target || input[i] === Number.NEGATIVE_INFINITY ? 0 : Math.max(0, input[i] - chosen + margin);
  const slopeOf = (short: number) => (short > 0 ? p * short ** (p - 1) : 0);
  let loss = 0;
  let slopes = 0;
  for (let c = 0; c < classes; c++) {
    const short = shortOf(c, start + c * inner);
    loss += short ** p;
    slopes += slopeOf(short);
  }
  const share = weight / classes;
  return {
    loss: share * loss,
    derivative: (c, i) => share * (c === target ? -slopes : slopeOf(shortOf(c, i))),
  };
}
