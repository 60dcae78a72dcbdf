// Twin of shaders/cross_entropy.wgsl, count_targets.wgsl and sum_rows.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { reduceRows } from './reduce-rows.js';
import { isUndefined, logTotal, type RowSum, rowSum } from './row-sum.js';

export interface CrossEntropyArrays {
  readonly logits: Values;
  readonly targets: Values; // (rows)
  readonly upstream?: Values; // (1) or (rows)
  readonly loss: Values; // (1) or (rows)
  readonly gradient?: Values; // as logits; may be the logits themselves
}

export interface CrossEntropySettings {
  readonly reduction: 'mean' | 'sum' | 'none';
  readonly ignoreIndex: number | null;
}

export function crossEntropyRows(arrays: CrossEntropyArrays, rows: Rows, settings: CrossEntropySettings): void {
  const { targets, loss, upstream } = arrays;
  const { reduction, ignoreIndex } = settings;
  const losses = reduction === 'none' ? loss : new Float64Array(rows.count);
  const divisor = reduction === 'mean' ? countTargets(targets, ignoreIndex) : 1;
  for (let r = 0; r < rows.count; r++) {
    const given = upstream?.[reduction === 'none' ? r : 0] ?? 1;
    losses[r] = crossEntropyRow(arrays, rows, r, divisor === 0 ? 0 : given / divisor, ignoreIndex);
  }
  if (reduction !== 'none') reduceRows(losses, loss, divisor);
}

function countTargets(targets: Values, ignoreIndex: number | null): number {
  let counted = 0;
  for (const target of targets) if (target !== ignoreIndex) counted++;
  return counted;
}

/** The loss of row r; writes its gradient, times `scale`. */
function crossEntropyRow(
  arrays: CrossEntropyArrays,
  rows: Rows,
  r: number,
  scale: number,
  ignoreIndex: number | null,
): number {
  const { logits, gradient } = arrays;
  const { classes, inner: step } = rows;
  const start = rowStart(rows, r);
  const target = arrays.targets[r];
  if (target === ignoreIndex) {
    if (gradient) fillRow(gradient, start, rows, 0);
    return 0;
  }
  const row = rowSum(logits, start, step, classes, 1);
  if (isUndefined(row) || target < 0 || target >= classes) {
    if (gradient) fillRow(gradient, start, rows, Number.NaN);
    return Number.NaN;
  }
  const loss = logTotal(row) + (row.maximum - logits[start + target * step]);
  if (!gradient) return loss;
  for (let c = 0; c < classes; c++) {
    const i = start + c * step;
    gradient[i] = derivative(logits[i], row, c === target) * scale;
  }
  return loss;
}

/** p_j, or for the target -(the sum of the others) / (the sum of all), in which nothing cancels. */
function derivative(x: number, row: RowSum, isTarget: boolean): number {
  const total = row.ties + row.rest;
  if (x === row.maximum) return (isTarget ? -(row.ties - 1 + row.rest) : 1) / total;
  const e = Math.exp(x - row.maximum);
  return (isTarget ? -(total - e) : e) / total;
}

function fillRow(values: Values, start: number, { classes, inner }: Rows, value: number): void {
  for (let c = 0; c < classes; c++) values[start + c * inner] = value;
}
