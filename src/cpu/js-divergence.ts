// Twin of shaders/js_divergence.wgsl. In float64 the log-sum-exps need no second look.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { addToMean, centred, type Mean } from './centred.js';
import { noAnswer, type Reducing, type RowLossArrays, rowLosses } from './row-loss.js';
import { isUndefined, logTotal, type RowSum, rowSum } from './row-sum.js';

export interface JsDivergenceArrays extends RowLossArrays {
  readonly input: Values; // logits a
  readonly other: Values; // logits b
  readonly gradientA?: Values;
  readonly gradientB?: Values;
}

/** One class in both rows. */
interface Pair {
  readonly p: number;
  readonly q: number;
  readonly r: number; // log(p / q); 0 where both are 0
}

export function jsDivergenceRows(arrays: JsDivergenceArrays, rows: Rows, reducing: Reducing): void {
  const { input, other, gradientA, gradientB } = arrays;
  const { classes, inner } = rows;
  rowLosses(arrays, rows, reducing, (_, start, scale) => {
    const a = rowSum(input, start, inner, classes, 1);
    const b = rowSum(other, start, inner, classes, 1);
    const shift = logTotal(b) - logTotal(a);
    const pairAt = (i: number) => pairOf(input[i], other[i], a, b, shift);
    const terms = isUndefined(a) || isUndefined(b) ? null : sums(rows, start, pairAt);
    const slope = (p: number, logarithm: number, row: RowSum, mean?: Mean) => {
      if (scale === null) return 0;
      if (!mean) return Number.NaN;
      return p === 0 ? 0 : 0.5 * p * centred(logarithm, p, othersOf(p, row), mean) * scale;
    };
    for (let i = start; gradientA && gradientB && i < start + classes * inner; i += inner) {
      const { p, q, r } = pairAt(i);
      const [logA, logB] = logarithms(r);
      gradientA[i] = slope(p, logA, a, terms?.meanA);
      gradientB[i] = slope(q, logB, b, terms?.meanB);
    }
    return { ...noAnswer, loss: terms?.loss ?? Number.NaN };
  });
}

/** 1 - p; of a p above 1/2, which is a maximum alone, with nothing subtracted. */
const othersOf = (p: number, row: RowSum): number => (p > 0.5 ? row.rest / (row.ties + row.rest) : 1 - p);

function pairOf(x: number, y: number, a: RowSum, b: RowSum, shift: number): Pair {
  const toA = a.maximum - x;
  const toB = b.maximum - y;
  const p = Math.exp(-toA) / (a.ties + a.rest);
  const q = Math.exp(-toB) / (b.ties + b.rest);
  const bothMasked = x === Number.NEGATIVE_INFINITY && y === Number.NEGATIVE_INFINITY;
  return { p, q, r: bothMasked ? 0 : toB - toA + shift };
}

/** log(p / m) and log(q / m), m = (p + q) / 2. */
function logarithms(r: number): [number, number] {
  const size = Math.abs(r);
  const e = Math.expm1(-size);
  const larger = Math.log1p(-e / (2 + e)); // log(1 + tanh(size / 2))
  return r > 0 ? [larger, larger - size] : [larger - size, larger];
}

/** 0 log 0 is 0. */
const product = (p: number, logarithm: number) => (p === 0 ? 0 : p * logarithm);

function sums({ classes, inner }: Rows, start: number, pairAt: (i: number) => Pair) {
  const sum = { loss: 0, meanA: { around: 0, most: 0 }, meanB: { around: 0, most: 0 } };
  for (let i = start; i < start + classes * inner; i += inner) {
    const pair = pairAt(i);
    const [logA, logB] = logarithms(pair.r);
    sum.loss += 0.5 * both(pair, logA, logB);
    addToMean(sum.meanA, logA, pair.p);
    addToMean(sum.meanB, logB, pair.q);
  }
  return sum;
}

/** p log(p / m) + q log(q / m); where they are near, by the series, in which nothing cancels. */
function both({ p, q, r }: Pair, logA: number, logB: number): number {
  if (Math.abs(r) > 1) return product(p, logA) + product(q, logB);
  const w = Math.tanh(0.5 * r) ** 2;
  let series = 0;
  for (let n = 8; n > 0; n--) series = 1 / (n * (2 * n - 1)) + w * series;
  return 0.5 * (p + q) * w * series;
}
