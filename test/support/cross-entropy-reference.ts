// Cross-entropy with every option, as its formulas stand in the docstring: what the kernel and its CPU twin are held to. Float64,
// and with no regard for speed. Written without looking at either.
import { rowStart, rowsOf } from '../../src/rows.ts';

type Numbers = ArrayLike<number>;

export interface Options {
  readonly targets?: Numbers; // one a row
  readonly labels?: Numbers; // one a logit
  readonly classWeights?: Numbers;
  readonly sampleWeights?: Numbers;
  readonly labelSmoothing?: number;
  readonly zLoss?: number;
  readonly softcap?: number;
  readonly temperature?: number;
  readonly ignoreIndex?: number;
  readonly reduction?: 'mean' | 'sum' | 'none';
}

const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: masked } = Number;
const sum = (x: number[]) => x.reduce((a, b) => a + b, 0);

/** One row: its loss, and its derivatives by its logits and labels. */
function row(x: number[], q: number[], weights: number[], o: Options) {
  const { labelSmoothing: s = 0, zLoss = 0, softcap, temperature = 1 } = o;
  const capped = x.map((v) => (softcap && Number.isFinite(v) ? softcap * Math.tanh(v / softcap) : v));
  const slope = x.map((v) => (softcap ? (Number.isFinite(v) ? Math.cosh(v / softcap) ** -2 : 0) : 1));
  const z = capped.map((v) => v / temperature);
  const max = z.reduce((a, b) => Math.max(a, b), masked);
  const undefinedRow = z.some((v) => Number.isNaN(v) || v === infinity) || max === masked || !q.every(Number.isFinite);
  const all = (value: number) => x.map(() => value);
  const e = z.map((v) => Math.exp(v - max));
  const sumOfExp = sum(e);
  const top = z.indexOf(max);
  const others = sum(e.filter((_, c) => c !== top));
  const logSumExp = Number.isFinite(max) ? max + Math.log1p(others) : max;
  if (undefinedRow) return { loss: nan, gradient: all(nan), byLabels: all(nan), logSumExp, correct: 0 };
  const surprise = z.map((v) => max - v + Math.log1p(others)); // -log p
  const a = q.map((v, c) => weights[c] * (v * (1 - s) + s / x.length));
  const terms = a.map((v, c) => (v === 0 ? 0 : v * surprise[c]));
  const best = (values: number[]) => values.indexOf(values.reduce((m, v) => Math.max(m, v), masked));
  const mass = sum(a);
  const gradient = x.map((_, c) => {
    const p = e[c] / sumOfExp;
    // p - 1 by the sum of the others, so that a confident row keeps its digits.
    const besides = (values: number[]) => sum(values.filter((_, j) => j !== c));
    const slopeOfLogit = p > 0.5 ? besides(a) - (mass * besides(e)) / sumOfExp : mass * p - a[c];
    return ((slopeOfLogit + 2 * zLoss * logSumExp * p) / temperature) * slope[c];
  });
  return {
    loss: sum(terms) + zLoss * logSumExp ** 2,
    gradient,
    byLabels: surprise.map((v, c) => (weights[c] * (1 - s) === 0 ? 0 : weights[c] * (1 - s) * v)),
    logSumExp,
    correct: best(x) === best(q) ? 1 : 0,
  };
}

export function crossEntropyOf(x: Numbers, shape: readonly number[], axis: number, options: Options) {
  const { targets, labels, classWeights, sampleWeights, ignoreIndex = -100, reduction = 'mean' } = options;
  const rows = rowsOf(shape, axis);
  const weights = Array.from({ length: rows.classes }, (_, c) => classWeights?.[c] ?? 1);
  const results = Array.from({ length: rows.count }, (_, r) => {
    const at = Array.from({ length: rows.classes }, (_, c) => rowStart(rows, r) + c * rows.inner);
    const q = at.map((i, c) => (labels ? labels[i] : Number(c === targets?.[r])));
    const ignored = targets !== undefined && targets[r] === ignoreIndex;
    const weight = ignored ? 0 : (sampleWeights?.[r] ?? 1);
    return {
      at,
      ignored,
      weight,
      ofTarget: targets && !ignored ? weights[targets[r]] : 1,
      ...row(
        at.map((i) => x[i]),
        q,
        weights,
        options,
      ),
    };
  });
  const divisor = reduction === 'mean' ? sum(results.map((r) => r.weight * r.ofTarget)) : 1;
  const gradient = new Float64Array(x.length);
  const targetGradient = new Float64Array(x.length);
  for (const { at, weight, gradient: byLogits, byLabels } of results) {
    if (weight === 0 || divisor === 0) continue;
    for (const [c, i] of at.entries()) {
      gradient[i] = (byLogits[c] * weight) / divisor;
      targetGradient[i] = (byLabels[c] * weight) / divisor;
    }
  }
  const losses = results.map((r) => (r.weight === 0 ? 0 : r.loss * r.weight));
  return {
    loss: reduction === 'none' ? losses : [divisor === 0 ? nan : sum(losses) / divisor],
    gradient,
    targetGradient,
    logSumExp: results.map((r) => r.logSumExp),
    correct: results.map((r) => (r.ignored ? 0 : r.correct)),
  };
}
