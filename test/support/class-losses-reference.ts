// The losses with a class axis as their formulas stand in the docstrings, in float64 and with no regard for speed: what kernels and
// their CPU twins are held to. Written without looking at either. Arrays are flat, with a shape and a class axis.
import { rowStart, rowsOf } from '../../src/rows.ts';

type Numbers = ArrayLike<number>;

const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: masked } = Number;
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

/** One row: its loss, and its derivatives by its logits. */
export interface RowResult {
  readonly loss: number;
  readonly gradient: number[];
}

const broken = (row: number[]) => row.some((x) => Number.isNaN(x) || x === infinity) || row.every((x) => x === masked);
const noAnswer = (row: number[]): RowResult => ({ loss: nan, gradient: row.map(() => nan) });

/** Of each class: p, 1 - p, and -log p, none of them by taking a number near 1 from 1. */
function softmaxOf(row: number[]) {
  const max = row.reduce((a, b) => Math.max(a, b), masked);
  const e = row.map((x) => Math.exp(x - max));
  const total = sum(e);
  const top = row.indexOf(max);
  const beside = sum(e.filter((_, c) => c !== top));
  return row.map((x, own) => ({
    p: e[own] / total,
    missed: e[own] > total / 2 ? sum(e.filter((_, c) => c !== own)) / total : (total - e[own]) / total,
    distance: max - x,
    surprise: max - x + Math.log1p(beside),
  }));
}

export function nllRow(row: number[], target: number, weight = 1): RowResult {
  if (broken(row) || !(target in row)) return noAnswer(row);
  return { loss: weight === 0 ? 0 : -weight * row[target], gradient: row.map((_, c) => (c === target ? -weight : 0)) };
}

/** d/dp of -(1 - p)^gamma log p, times dp_t/dx_c = p_t ((c is t) - p_c). */
export function focalRow(row: number[], target: number, gamma = 2, alpha = 1): RowResult {
  if (broken(row) || !(target in row)) return noAnswer(row);
  const classes = softmaxOf(row);
  const { p, missed, surprise } = classes[target];
  const drop = gamma === 0 || p === 0 ? 0 : missed === 0 ? gamma * p : (gamma * p * surprise) / missed;
  const slope = alpha * missed ** gamma * (drop + 1);
  return {
    loss: alpha * missed ** gamma === 0 ? 0 : alpha * missed ** gamma * surprise,
    gradient: classes.map((one, c) => (c === target ? -missed : one.p) * slope),
  };
}

export function klRow(row: number[], t: number[], temperature = 1): RowResult {
  if (broken(row) || t.some((v) => !(v >= 0 && v < infinity))) return noAnswer(row);
  const classes = softmaxOf(row.map((x) => x / temperature));
  return {
    loss: sum(t.map((v, c) => (v === 0 ? 0 : v * (Math.log(v) + classes[c].surprise)))),
    // sum of t_k (p_c - (k is c))
    gradient: classes.map(
      ({ p, missed }, c) => (sum(t.map((v, k) => (k === c ? 0 : v))) * p - t[c] * missed) / temperature,
    ),
  };
}

/** The first input's gradient; the other's is that of jsRow(b, a). */
export function jsRow(a: number[], b: number[]): RowResult {
  if (broken(a) || broken(b)) return noAnswer(a);
  const [P, Q] = [softmaxOf(a), softmaxOf(b)];
  /** log(p / m) = -log((1 + q / p) / 2), which near q = p is -log1p((q / p - 1) / 2). */
  const logOf = (own: number, other: number) =>
    other === infinity ? Math.LN2 : own === infinity ? masked : -Math.log1p(Math.expm1(own - other) / 2);
  const logsP = P.map(({ surprise }, c) => logOf(surprise, Q[c].surprise));
  const logsQ = Q.map(({ surprise }, c) => logOf(surprise, P[c].surprise));
  const weighed = (p: number, log: number) => (p === 0 ? 0 : p * log);
  const products = P.map(({ p }, c) => weighed(p, logsP[c]));
  const mean = sum(products);
  /** log_c - sum of p_k log_k = log_c (1 - p_c) - sum of the others. */
  const lessMean = (c: number) =>
    P[c].p > 0.5 ? logsP[c] * P[c].missed - sum(products.filter((_, k) => k !== c)) : logsP[c] - mean;
  const terms = P.map(({ p }, c) => {
    const delta = (p - Q[c].p) / (p + Q[c].p || 1);
    // Near 0 the two logarithms cancel: delta^2 + delta^4 / 6 + ...
    const series = delta ** 2 + delta ** 4 / 6 + delta ** 6 / 15;
    return Math.abs(delta) < 1e-3 ? ((p + Q[c].p) / 2) * series : weighed(p, logsP[c]) + weighed(Q[c].p, logsQ[c]);
  });
  return { loss: sum(terms) / 2, gradient: P.map(({ p }, c) => weighed(p, lessMean(c)) / 2) };
}

export function entropyRow(row: number[]): RowResult {
  if (broken(row)) return noAnswer(row);
  const classes = softmaxOf(row);
  const weighed = (p: number, value: number) => (p === 0 ? 0 : p * value);
  const mean = sum(classes.map(({ p, distance }) => weighed(p, distance)));
  return {
    loss: sum(classes.map(({ p, surprise }) => weighed(p, surprise))),
    gradient: classes.map(({ p, distance }) => weighed(p, distance - mean)),
  };
}

export function marginRow(row: number[], target: number, p = 1, margin = 1, weight = 1): RowResult {
  if (broken(row) || !(target in row)) return noAnswer(row);
  const short = row.map((x, c) => (c === target || x === masked ? 0 : Math.max(0, margin + (x - row[target]))));
  const slopes = short.map((v) => (v === 0 || weight === 0 ? 0 : (weight * p * v ** (p - 1)) / row.length));
  return {
    loss: weight === 0 ? 0 : (weight * sum(short.map((v) => v ** p))) / row.length,
    gradient: slopes.map((slope, c) => (c === target ? -sum(slopes) : slope)),
  };
}

/** 2 p_c (miss_c - sum of p_k miss_k) = 2 p_c sum of p_k (miss_c - miss_k). */
export function brierRow(row: number[], t: number[]): RowResult {
  if (broken(row) || !t.every(Number.isFinite)) return noAnswer(row);
  const classes = softmaxOf(row);
  const miss = classes.map(({ p, missed }, c) => (p > 0.5 ? 1 - t[c] - missed : p - t[c]));
  return {
    loss: sum(miss.map((v) => v * v)),
    gradient: classes.map(({ p }, c) => 2 * p * sum(classes.map((other, k) => other.p * (miss[c] - miss[k])))),
  };
}

/** 1 at the target, 0 elsewhere; all NaN where it is no class. */
export const oneHot = (classes: number, target: number): number[] =>
  Array.from({ length: classes }, (_, c) => (target >= 0 && target < classes ? Number(c === target) : nan));

export interface FrameOptions {
  readonly reduction?: 'mean' | 'sum' | 'none' | 'batchmean';
  readonly upstream?: number | Numbers;
  readonly sampleWeights?: Numbers;
  /** What else a row weighs in the divisor of 'mean'. */
  readonly weightOf?: (row: number) => number;
}

/** Row r of a flat array. */
export function rowOf(x: Numbers, shape: readonly number[], axis: number, r: number): number[] {
  const rows = rowsOf(shape, axis);
  return Array.from({ length: rows.classes }, (_, c) => x[rowStart(rows, r) + c * rows.inner]);
}

/** Losses and gradient of all rows; `f` gives null for a row that is ignored. */
export function framed(
  x: Numbers,
  shape: readonly number[],
  axis: number,
  options: FrameOptions,
  f: (row: number[], r: number) => RowResult | null,
) {
  const { reduction = 'mean', upstream = 1, sampleWeights, weightOf = () => 1 } = options;
  const rows = rowsOf(shape, axis);
  const results = Array.from({ length: rows.count }, (_, r) => f(rowOf(x, shape, axis, r), r));
  const weights = results.map((row, r) => (row ? (sampleWeights?.[r] ?? 1) : 0));
  const mean = sum(weights.map((weight, r) => (weight === 0 ? 0 : weight * weightOf(r))));
  const divisor = reduction === 'mean' ? mean : reduction === 'batchmean' ? rows.count : 1;
  const losses = results.map((row, r) => (weights[r] === 0 ? 0 : weights[r] * row!.loss));
  const gradient = new Float64Array(x.length);
  results.forEach((row, r) => {
    if (weights[r] === 0 || divisor === 0) return;
    const scale = ((typeof upstream === 'number' ? upstream : upstream[r]) * weights[r]) / divisor;
    row!.gradient.forEach((slope, c) => {
      gradient[rowStart(rows, r) + c * rows.inner] = slope * scale;
    });
  });
  return { loss: reduction === 'none' ? losses : [divisor === 0 ? nan : sum(losses) / divisor], gradient };
}
