// The operations as a textbook has them, in float64 and with no regard for speed: what kernels and their CPU twins are held to.
// Written without looking at either. Arrays are flat, with a shape and a class axis, the last one where it is left out.

type Numbers = ArrayLike<number>;
type Shape = readonly number[];

const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: masked } = Number;

const product = (numbers: Shape) => numbers.reduce((a, b) => a * b, 1);

/** The elements of every row, as indices into the flat array, in the order of the rows' own shape. */
function rowIndices(shape: Shape, axis = -1): number[][] {
  const at = axis < 0 ? axis + shape.length : axis;
  const inner = product(shape.slice(at + 1));
  const rows = product(shape.slice(0, at)) * inner;
  return Array.from({ length: rows }, (_, row) => {
    const start = Math.floor(row / inner) * shape[at] * inner + (row % inner);
    return Array.from({ length: shape[at] }, (_, c) => start + c * inner);
  });
}

const take = (x: Numbers, indices: number[]) => indices.map((i) => x[i]);

/** f of every row, which keeps its length. */
function mapRows(x: Numbers, shape: Shape, axis: number | undefined, f: (row: number[]) => number[]): Float64Array {
  const out = new Float64Array(x.length);
  for (const indices of rowIndices(shape, axis)) {
    const row = f(take(x, indices));
    for (const [c, i] of indices.entries()) out[i] = row[c];
  }
  return out;
}

/** f of every row, which becomes one number. */
const reduceRows = (x: Numbers, shape: Shape, axis: number | undefined, f: (row: number[]) => number): Float64Array =>
  Float64Array.from(rowIndices(shape, axis), (indices) => f(take(x, indices)));

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

const largest = (row: number[]) => row.reduce((a, b) => Math.max(a, b), masked); // no spread: rows may be long

/** A row that has no answer: NaN or +Infinity in it, or every class masked. */
const broken = (row: number[]) => row.some((x) => Number.isNaN(x) || x === infinity) || row.every((x) => x === masked);

/** exp(x - max), and the sum of all but the first maximum's 1: kept apart, since beside 1 a small sum has no digits. */
function exponentials(row: number[]) {
  const max = largest(row);
  const e = row.map((x) => Math.exp(x - max));
  const top = row.indexOf(max);
  return { max, e, others: sum(e.filter((_, c) => c !== top)) };
}

export interface RowOptions {
  axis?: number;
  temperature?: number;
}

export function softmax(x: Numbers, shape: Shape, { axis, temperature = 1 }: RowOptions = {}): Float64Array {
  return mapRows(x, shape, axis, (row) => {
    if (broken(row)) return row.map(() => nan);
    const { e, others } = exponentials(row.map((v) => v / temperature));
    return e.map((v) => v / (1 + others));
  });
}

export function logSoftmax(x: Numbers, shape: Shape, { axis, temperature = 1 }: RowOptions = {}): Float64Array {
  return mapRows(x, shape, axis, (row) => {
    if (broken(row)) return row.map(() => nan);
    const scaled = row.map((v) => v / temperature);
    const { max, others } = exponentials(scaled);
    return scaled.map((v) => v - max - Math.log1p(others));
  });
}

/** The one that has answers for broken rows: -Infinity where all is masked, +Infinity where that is the largest. */
export function logSumExp(x: Numbers, shape: Shape, axis?: number): Float64Array {
  return reduceRows(x, shape, axis, (row) => {
    const max = largest(row); // NaN where there is one
    if (!Number.isFinite(max)) return max;
    return max + Math.log1p(exponentials(row).others);
  });
}

export const sigmoid = (x: Numbers): Float64Array =>
  Float64Array.from(x, (v) => (v < 0 ? Math.exp(v) / (1 + Math.exp(v)) : 1 / (1 + Math.exp(-v))));

/** The first NaN, else the first of those that none is better than. */
function extreme(row: number[], better: (a: number, b: number) => boolean): number {
  const bad = row.findIndex(Number.isNaN);
  return bad >= 0 ? bad : row.reduce((best, v, c) => (better(v, row[best]) ? c : best), 0);
}

export const argmax = (x: Numbers, shape: Shape, axis?: number): Int32Array =>
  Int32Array.from(reduceRows(x, shape, axis, (row) => extreme(row, (a, b) => a > b)));

export const argmin = (x: Numbers, shape: Shape, axis?: number): Int32Array =>
  Int32Array.from(reduceRows(x, shape, axis, (row) => extreme(row, (a, b) => a < b)));

/** The k largest, NaN above all, ties by the lowest index; values and indices have k where the shape has the classes. */
export function topK(x: Numbers, shape: Shape, k: number, axis = -1) {
  const at = axis < 0 ? axis + shape.length : axis;
  const out = shape.map((length, i) => (i === at ? k : length));
  const values = new Float64Array(product(out));
  const indices = new Int32Array(product(out));
  const rank = (v: number) => (Number.isNaN(v) ? 1 : 0);
  const above = (a: number, b: number) => rank(b) - rank(a) || (a > b ? -1 : a < b ? 1 : 0);
  const places = rowIndices(out, at);
  for (const [r, elements] of rowIndices(shape, at).entries()) {
    const row = take(x, elements);
    const order = row.map((_, c) => c).sort((a, b) => above(row[a], row[b]) || a - b);
    for (const [j, i] of places[r].entries()) {
      indices[i] = order[j];
      values[i] = row[order[j]];
    }
  }
  return { values, indices };
}

/** Philox 4x32 of 10 rounds, with integers of any length. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [x, y, z, w] = counter.map(BigInt);
  let [low, high] = key.map(BigInt);
  const [upper, lower] = [(p: bigint) => p >> 32n, (p: bigint) => p & 0xffffffffn];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [x * 0xd2511f53n, z * 0xcd9e8d57n];
    [x, y, z, w] = [upper(b) ^ y ^ low, lower(b), upper(a) ^ w ^ high, lower(a)];
    [low, high] = [lower(low + 0x9e3779b9n), lower(high + 0xbb67ae85n)];
  }
  return [x, y, z, w].map(Number);
}

export interface SampleOptions extends RowOptions {
  seed: number;
  topK?: number;
  topP?: number;
  minP?: number;
}

/** The classes that may be drawn, the most probable first: what topK keeps, of those topP, of those minP. */
export function keptClasses(row: number[], { temperature = 1, topK, topP, minP = 0 }: Omit<SampleOptions, 'seed'>) {
  const max = largest(row);
  const p = row.map((x) => Math.exp((x - max) / temperature));
  const order = row.map((_, c) => c).sort((a, b) => row[b] - row[a] || a - b);
  const most = order.slice(0, topK).filter((c) => row[c] !== masked);
  let count = most.length;
  if (topP !== undefined && topP < 1) {
    const goal = topP * (1 - 2 ** -18) * sum(most.map((c) => p[c]));
    let mass = 0;
    for (count = 0; mass < goal; count++) mass += p[most[count]];
  }
  return most.slice(0, count).filter((c) => p[c] >= minP);
}

/** -log(-log(u)) of a random word: 1 - u is the middle of the word's bucket, of which there are 2^23 to each power of two. */
export function gumbel(word: number): number {
  const bucket = 2 ** Math.max(0, Math.floor(Math.log2(word + 0.5)) - 22);
  return -Math.log(-Math.log1p(-(Math.floor(word / bucket) + 0.5) * bucket * 2 ** -32));
}

/** What the classes of row r race with: the largest is drawn. -Infinity for what may not be drawn; nothing for a row without answer. */
export function sampleKeys(row: number[], r: number, options: SampleOptions): number[] {
  if (broken(row)) return [];
  const { seed, temperature = 1 } = options;
  const key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
  const keys = row.map(() => masked);
  const max = largest(row);
  const words: number[][] = []; // four classes share a block
  for (const c of keptClasses(row, options)) {
    const block = Math.floor(c / 4);
    words[block] ??= philox([block, r, 0, 0], key);
    keys[c] = (row[c] - max) / temperature + gumbel(words[block][c % 4]);
  }
  return keys;
}

/** The classes drawn; -1 for a row without answer. */
export const sample = (x: Numbers, shape: Shape, options: SampleOptions): Int32Array =>
  Int32Array.from(rowIndices(shape, options.axis), (indices, r) => {
    const keys = sampleKeys(take(x, indices), r, options);
    return keys.indexOf(largest(keys));
  });

/** features [rows, depth] times weight [classes, depth] transposed, plus the bias. */
export function linear(features: Numbers, weight: Numbers, depth: number, bias?: Numbers): Float64Array {
  const classes = weight.length / depth;
  const dot = (n: number, c: number) =>
    sum(Array.from({ length: depth }, (_, d) => features[n * depth + d] * weight[c * depth + d]));
  return Float64Array.from({ length: (features.length / depth) * classes }, (_, i) => {
    const c = i % classes;
    return dot(Math.floor(i / classes), c) + (bias ? bias[c] : 0);
  });
}

/** Loss and gradient of one row: log1p(S) + (max - x[target]), and p, less the sum of the others at the target. */
function crossEntropyRow(row: number[], target: number): { loss: number; gradient: number[] } {
  if (broken(row) || !(target in row)) return { loss: nan, gradient: row.map(() => nan) };
  const { max, e, others } = exponentials(row);
  const rest = sum(e.filter((_, c) => c !== target));
  return {
    loss: Math.log1p(others) + (max - row[target]),
    gradient: e.map((v, c) => (c === target ? -rest : v) / (1 + others)),
  };
}

export interface CrossEntropyOptions {
  axis?: number;
  reduction?: 'mean' | 'sum' | 'none';
  ignoreIndex?: number | null;
  /** One a row for 'none', else a number. */
  upstream?: Numbers | number;
}

/** Integer targets, one a row. The loss has one element for 'mean' and 'sum'; a target that is no class makes its row NaN. */
export function crossEntropy(logits: Numbers, shape: Shape, targets: Numbers, options: CrossEntropyOptions = {}) {
  const { axis, reduction = 'mean', ignoreIndex = -100, upstream = 1 } = options;
  const losses = new Float64Array(targets.length);
  const gradient = new Float64Array(logits.length);
  const counted = Array.from(targets).filter((target) => target !== ignoreIndex).length;
  const divisor = reduction === 'mean' ? counted : 1;
  for (const [r, indices] of rowIndices(shape, axis).entries()) {
    if (targets[r] === ignoreIndex) continue;
    const row = crossEntropyRow(take(logits, indices), targets[r]);
    const scale = (typeof upstream === 'number' ? upstream : upstream[r]) / divisor;
    losses[r] = row.loss;
    for (const [c, i] of indices.entries()) gradient[i] = row.gradient[c] * scale;
  }
  const loss = reduction === 'none' ? losses : Float64Array.of(sum(Array.from(losses)) / divisor); // 0 / 0 is NaN
  return { loss, gradient };
}

/** Two steps of sgd with the same gradient: learning rate 0.1, momentum 0.9, weight decay 0.1. */
export const sgdSteps = (x: Numbers, gradient: Numbers): Float64Array =>
  Float64Array.from(x, (value, i) => {
    const first = gradient[i] + 0.1 * value;
    const moved = value - 0.1 * first;
    return moved - 0.1 * (0.9 * first + gradient[i] + 0.1 * moved);
  });

/** The same of adamW, whose moments, unbiased, are the gradient and its square: learning rate and weight decay 0.1. */
export const adamWSteps = (x: Numbers, gradient: Numbers): Float64Array =>
  Float64Array.from(x, (value, i) => {
    const step = (0.1 * gradient[i]) / (Math.abs(gradient[i]) + 1e-8);
    return (value * 0.99 - step) * 0.99 - step;
  });
