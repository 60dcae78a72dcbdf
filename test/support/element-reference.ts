// Losses without a class axis as a textbook has them, in float64: of one element, or of one row of features. Written without looking at
// the kernels or their CPU twins. Limits stand where infinities meet 0.

type Numbers = ArrayLike<number>;

/** A loss and its derivative by the input. */
export interface Pair {
  loss: number;
  derivative: number;
}

const nan = Number.NaN;
const undefinedPair: Pair = { loss: nan, derivative: nan };

/** 0 times anything but NaN is 0. */
const times = (a: number, b: number) => (a === 0 && !Number.isNaN(b) ? 0 : a * b);
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

export function binaryCrossEntropy(x: number, t: number, p = 1): Pair {
  if (Number.isNaN(x) || !Number.isFinite(t)) return undefinedPair;
  return {
    loss: times(p * t, softplus(-x)) + times(1 - t, softplus(x)),
    derivative: (1 - t) * sigmoid(x) - p * t * sigmoid(-x),
  };
}

/** Of targets 0 and 1: (1 - p)^gamma (-log p), p being the probability of the target. */
export function sigmoidFocalLoss(x: number, t: number, gamma = 2, alpha = 0.25): Pair {
  if (Number.isNaN(x) || (t !== 0 && t !== 1)) return undefinedPair;
  const toward = t === 1 ? x : -x;
  const [p, missed] = [sigmoid(toward), sigmoid(-toward)];
  const weight = alpha < 0 ? 1 : t === 1 ? alpha : 1 - alpha;
  // d missed / d toward = -p missed, d -log p / d toward = -missed
  const slope = -(missed ** gamma) * (times(gamma * p, times(missed === 0 ? 0 : 1, softplus(-toward))) + missed);
  const atMinusInfinity = -(missed ** gamma);
  const derivative = toward === Number.NEGATIVE_INFINITY ? atMinusInfinity : slope;
  return {
    loss: weight * times(missed ** gamma, softplus(-toward)),
    derivative: weight * (t === 1 ? derivative : -derivative),
  };
}

export function klDivLoss(x: number, t: number, logTarget = false): Pair {
  const q = logTarget ? Math.exp(t) : t;
  if (Number.isNaN(x) || !(q >= 0 && q < Number.POSITIVE_INFINITY)) return undefinedPair;
  return { loss: q === 0 ? 0 : q * (Math.log(q) - x), derivative: -q };
}

export function hingeLoss(x: number, t: number, margin = 1, squared = false): Pair {
  const short = margin - t * x;
  if (Number.isNaN(short) || (t !== 1 && t !== -1)) return undefinedPair;
  const loss = Math.max(short, 0);
  if (!squared) return { loss, derivative: short >= 0 ? -t : 0 };
  return { loss: loss ** 2, derivative: -2 * t * loss };
}

export function hingeEmbeddingLoss(x: number, t: number, margin = 1): Pair {
  if (Number.isNaN(x) || (t !== 1 && t !== -1)) return undefinedPair;
  return t === 1 ? { loss: x, derivative: 1 } : hingeLoss(x, 1, margin);
}

export const meanSquaredError = (x: number, t: number): Pair => ({ loss: (x - t) ** 2, derivative: 2 * (x - t) });

/** A loss and its derivatives by each input. */
export interface Row {
  loss: number;
  derivatives: number[][];
}

/** The derivative of a difference to some power, (sum |d|^p)^(1/p), by each difference. */
function norm(differences: number[], p: number): { far: number; slopes: number[] } {
  const far = differences.reduce((sum, d) => sum + Math.abs(d) ** p, 0) ** (1 / p);
  const slope = (d: number) => (d === 0 || far === 0 ? 0 : (Math.sign(d) * Math.abs(d) ** (p - 1)) / far ** (p - 1));
  return { far, slopes: differences.map(slope) };
}

const minus = (a: number[], b: number[], eps = 0) => a.map((v, i) => v - b[i] + eps);
const add = (...all: number[][]) => all[0].map((_, i) => all.reduce((sum, v) => sum + v[i], 0));
const scaled = (v: number[], by: number) => v.map((x) => (by === 0 ? 0 : x * by));

export interface TripletOptions {
  margin?: number;
  p?: number;
  eps?: number;
  swap?: boolean;
}

export function tripletMarginLoss([a, p, n]: number[][], options: TripletOptions = {}): Row {
  const { margin = 1, p: power = 2, eps = 1e-6, swap = false } = options;
  if ([...a, ...p, ...n].some((v) => !Number.isFinite(v))) return broken(3, a.length);
  const [near, far, swapped] = [minus(a, p, eps), minus(a, n, eps), minus(p, n, eps)].map((d) => norm(d, power));
  // Half of each where both are equal.
  const share = !swap || swapped.far > far.far ? 0 : swapped.far < far.far ? 1 : 0.5;
  const short = margin + near.far - (share ? swapped.far : far.far);
  const on = short >= 0 ? 1 : 0;
  const byFar = scaled(far.slopes, 1 - share);
  const bySwapped = scaled(swapped.slopes, share);
  return {
    loss: Math.max(short, 0),
    derivatives: [
      add(near.slopes, scaled(byFar, -1)),
      add(scaled(near.slopes, -1), scaled(bySwapped, -1)),
      add(byFar, bySwapped),
    ].map((v) => scaled(v, on)),
  };
}

const broken = (inputs: number, features: number): Row => ({
  loss: nan,
  derivatives: Array.from({ length: inputs }, () => new Array(features).fill(nan)),
});

export function contrastiveLoss([a, b]: number[][], similar: number, margin = 1): Row {
  if ([...a, ...b].some((v) => !Number.isFinite(v)) || (similar !== 0 && similar !== 1)) return broken(2, a.length);
  const d = minus(a, b);
  const { far, slopes } = norm(d, 2);
  const short = Math.max(0, margin - far);
  const byA = similar ? d : scaled(slopes, -short);
  return { loss: (similar ? far ** 2 : short ** 2) / 2, derivatives: [byA, scaled(byA, -1)] };
}

export function cosineEmbeddingLoss([a, b]: number[][], t: number, margin = 0): Row {
  if ([...a, ...b].some((v) => !Number.isFinite(v)) || Math.abs(t) !== 1) return broken(2, a.length);
  const dot = (u: number[], v: number[]) => u.reduce((sum, x, i) => sum + x * v[i], 0);
  const [aa, bb] = [dot(a, a) + 1e-12, dot(b, b) + 1e-12];
  const similarity = dot(a, b) / Math.sqrt(aa * bb);
  const by = (x: number[], y: number[], xx: number) =>
    x.map((v, i) => y[i] / Math.sqrt(aa * bb) - (similarity * v) / xx);
  const on = t === 1 ? -1 : similarity >= margin ? 1 : 0;
  return {
    loss: t === 1 ? 1 - similarity : Math.max(0, similarity - margin),
    derivatives: [scaled(by(a, b, aa), on), scaled(by(b, a, bb), on)],
  };
}

export function marginRankingLoss([[a], [b]]: number[][], t: number, margin = 0): Row {
  const { loss, derivative } = hingeLoss(a - b, t, margin);
  return { loss, derivatives: [[derivative], [-derivative]] };
}

export interface Reduction {
  reduction?: 'none' | 'mean' | 'sum';
  /** One a loss for 'none', else one number. */
  upstream?: Numbers;
}

/** Loss and gradient of elementwise losses; an element that weighs 0 adds nothing. */
export function elements(x: Numbers, of: (x: number, i: number) => Pair, weights: Numbers, options: Reduction) {
  const { reduction = 'mean', upstream } = options;
  const divisor = reduction === 'mean' ? x.length : 1;
  const pairs = Array.from(x, (v, i) => (weights[i] === 0 ? { loss: 0, derivative: 0 } : of(v, i)));
  const losses = Float64Array.from(pairs, ({ loss }, i) => (weights[i] === 0 ? 0 : loss * weights[i]));
  const scale = (i: number) => (weights[i] * (upstream?.[reduction === 'none' ? i : 0] ?? 1)) / divisor;
  const gradient = Float64Array.from(pairs, ({ derivative }, i) => (weights[i] === 0 ? 0 : derivative * scale(i)));
  const loss = reduction === 'none' ? losses : Float64Array.of(losses.reduce((a, b) => a + b, 0) / divisor);
  return { loss, gradient };
}

/** Loss and gradients of losses of rows of `features`, each input flat. */
export function rows(inputs: Numbers[], features: number, of: (row: number[][], r: number) => Row, weights: Numbers) {
  const gradients = inputs.map((x) => new Float64Array(x.length));
  const take = (x: Numbers, r: number) => Array.from({ length: features }, (_, c) => x[r * features + c]);
  const loss = Float64Array.from(weights, (weight, r) => {
    if (weight === 0) return 0;
    const row = of(
      inputs.map((x) => take(x, r)),
      r,
    );
    row.derivatives.forEach((derivative, n) => {
      derivative.forEach((v, c) => {
        gradients[n][r * features + c] = v * weight;
      });
    });
    return row.loss * weight;
  });
  return { loss, gradients };
}
