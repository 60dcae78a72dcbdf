// What every contender is given, and how far from float64 an answer is. Nothing is timed before it has been held against this.
import { errorOf } from '../../test/support/close.ts';
import { integers, normal } from '../../test/support/random.ts';
import { k } from './cases.ts';
import type { Case, OperationName } from './types.ts';

/** Arrays of the page; empty where a case has no use for them. */
export interface Inputs {
  /** [rows, classes] */
  readonly logits: Float32Array;
  /** [rows] */
  readonly targets: Int32Array;
  /** [rows, features], [classes, features], [classes] */
  readonly features: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/**
 * By name: `result` of softmax and logSoftmax; `loss` (the mean), and `gradient`; `indices` of argmax; `values` and `indices` of topK and
 * predict, k a row; `loss`, `features` and `weight`, the derivatives by them, of linearLoss and linearGradients.
 */
export type Outputs = Readonly<Record<string, ArrayLike<number>>>;

/** More than the longest row, and prime: rows and columns of a repeated run never fall on themselves. */
const period = 1_048_583;

/** n normal numbers. Beyond a million they repeat; making each would take longer than the benchmark. */
function numbers(n: number, sigma: number, seed: number): Float32Array {
  const run = normal(Math.min(n, period), { sigma, seed });
  const out = new Float32Array(n);
  for (let at = 0; at < n; at += run.length) out.set(run.subarray(0, Math.min(run.length, n - at)), at);
  return out;
}

export function makeInputs({ rows, classes, features = 0 }: Case): Inputs {
  const ofHead = features > 0;
  const none = new Float32Array(0);
  return {
    logits: ofHead ? none : numbers(rows * classes, 1, 1),
    targets: integers(rows, classes, { seed: 2 }),
    features: ofHead ? numbers(rows * features, 1, 3) : none,
    weight: ofHead ? numbers(classes * features, features ** -0.5, 4) : none,
    bias: ofHead ? numbers(classes, 0.1, 5) : none,
  };
}

/** What answers are held against: the inputs, and of a head the logits in float64. */
type Known = Omit<Inputs, 'logits'> & { readonly logits: ArrayLike<number> };

/** One row of the answers to check, and the worst error in it. */
type RowCheck = (row: number, outputs: Outputs) => number;

/** The largest logit of a row, and the sum of the exponentials of the others beside it. */
function rowSum(x: ArrayLike<number>, from: number, classes: number): { max: number; others: number } {
  let top = from;
  for (let i = from + 1; i < from + classes; i++) if (x[i] > x[top]) top = i;
  let others = 0;
  for (let i = from; i < from + classes; i++) if (i !== top) others += Math.exp(x[i] - x[top]);
  return { max: x[top], others };
}

const relative = (got: number, expected: number): number => errorOf(got, expected) / Math.abs(expected);

/** The greater of two errors, of which NaN is the worst. */
const worse = (a: number, b: number): number => (b <= a ? a : Number.isNaN(b) ? Number.POSITIVE_INFINITY : b);

function checkMatrix({ classes }: Case, { logits }: Known, log: boolean): RowCheck {
  return (row, { result }) => {
    const from = row * classes;
    const { max, others } = rowSum(logits, from, classes);
    const rest = Math.log1p(others);
    let error = 0;
    for (let i = from; i < from + classes; i++) {
      const expected = log ? logits[i] - max - rest : Math.exp(logits[i] - max) / (1 + others);
      error = worse(error, relative(result[i], expected));
    }
    return error;
  };
}

/** Relative to the largest gradient of its row. */
function checkGradient({ rows, classes }: Case, { logits, targets }: Known): RowCheck {
  return (row, { gradient }) => {
    const from = row * classes;
    const { max, others } = rowSum(logits, from, classes);
    let [error, largest] = [0, 0];
    for (let i = from; i < from + classes; i++) {
      const p = Math.exp(logits[i] - max) / (1 + others);
      const expected = (p - Number(i - from === targets[row])) / rows;
      largest = Math.max(largest, Math.abs(expected));
      error = worse(error, errorOf(gradient[i], expected));
    }
    return error / largest;
  };
}

/** The mean loss, summed once. */
function meanLoss({ rows, classes }: Case, { logits, targets }: Known): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const { max, others } = rowSum(logits, row * classes, classes);
    sum += max + Math.log1p(others) - logits[row * classes + targets[row]];
  }
  return sum / rows;
}

/** Places of the `count` largest, largest first. */
function largestOf(x: ArrayLike<number>, from: number, classes: number, count: number): number[] {
  const best: number[] = [];
  for (let i = from; i < from + classes; i++) {
    if (best.length === count && !(x[i] > x[best[count - 1]])) continue;
    let at = best.length;
    while (at > 0 && x[i] > x[best[at - 1]]) at--;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, count);
  }
  return best;
}

/** A value must be the row's, and an index must lead to it: which of several equal ones is the library's choice. */
function checkBest(x: ArrayLike<number>, classes: number, count: number): RowCheck {
  return (row, { values, indices }) => {
    let error = 0;
    for (const [rank, place] of largestOf(x, row * classes, classes, count).entries()) {
      const at = row * count + rank;
      error = worse(error, relative(x[row * classes + indices[at]], x[place]));
      if (values) error = worse(error, relative(values[at], x[place]));
    }
    return error;
  };
}

/** The logits of a head in float64, [rows, classes]. */
function logitsOf({ rows, classes, features = 0 }: Case, inputs: Inputs): Float64Array {
  const logits = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < classes; c++) {
      let sum = inputs.bias[c];
      for (let d = 0; d < features; d++) sum += inputs.features[row * features + d] * inputs.weight[c * features + d];
      logits[row * classes + c] = sum;
    }
  }
  return logits;
}

/** Probabilities in float64, [rows, classes]. */
function scoresOf({ rows, classes }: Case, { logits }: Known): Float64Array {
  const scores = Float64Array.from(logits);
  for (let row = 0; row < rows; row++) {
    const { max, others } = rowSum(scores, row * classes, classes);
    for (let i = row * classes; i < (row + 1) * classes; i++) scores[i] = Math.exp(scores[i] - max) / (1 + others);
  }
  return scores;
}

/** Each row's derivatives by its features, and by the weights of its target and of the class after it; relative to the largest of each. */
function checkLinear(one: Case, known: Known): RowCheck {
  const { rows, classes, features = 0 } = one;
  const { targets, weight } = known;
  const slopes = scoresOf(one, known).map((p, i) => {
    const row = Math.floor(i / classes);
    return (p - Number(i - row * classes === targets[row])) / rows; // of the mean loss by logits
  });
  /** A sum of so many rows of a matrix, each times its slope. */
  const combined = (count: number, slopeAt: (i: number) => number, matrix: Float32Array) => {
    const sums = new Float64Array(features);
    for (let i = 0; i < count; i++) {
      const slope = slopeAt(i);
      for (let d = 0; d < features; d++) sums[d] += slope * matrix[i * features + d];
    }
    return sums;
  };
  const byWeight = (c: number) => combined(rows, (r) => slopes[r * classes + c], known.features);
  const expected = Array.from(targets, (target, row) => [
    { name: 'features', at: row, sums: combined(classes, (c) => slopes[row * classes + c], weight) },
    ...[target, (target + 1) % classes].map((c) => ({ name: 'weight', at: c, sums: byWeight(c) })),
  ]);
  return (row, outputs) => {
    const errors = expected[row].map(({ name, at, sums }) => {
      const largest = sums.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      return sums.reduce((worst, x, d) => worse(worst, errorOf(outputs[name][at * features + d], x)), 0) / largest;
    });
    return errors.reduce(worse);
  };
}

const rowChecks: Record<OperationName, (one: Case, known: Known) => RowCheck> = {
  softmax: (one, inputs) => checkMatrix(one, inputs, false),
  logSoftmax: (one, inputs) => checkMatrix(one, inputs, true),
  crossEntropy: () => () => 0,
  crossEntropyGradient: checkGradient,
  argmax: ({ classes }, { logits }) => checkBest(logits, classes, 1),
  topK: ({ classes }, { logits }) => checkBest(logits, classes, k),
  predict: (one, inputs) => checkBest(scoresOf(one, inputs), one.classes, k),
  linearLoss: () => () => 0,
  linearGradients: checkLinear,
};

/** Numbers that an answer of each operation must have. */
const lengths: Record<OperationName, (one: Case) => Record<string, number>> = {
  softmax: ({ rows, classes }) => ({ result: rows * classes }),
  logSoftmax: ({ rows, classes }) => ({ result: rows * classes }),
  crossEntropy: () => ({ loss: 1 }),
  crossEntropyGradient: ({ rows, classes }) => ({ loss: 1, gradient: rows * classes }),
  argmax: ({ rows }) => ({ indices: rows }),
  topK: ({ rows }) => ({ values: rows * k, indices: rows * k }),
  predict: ({ rows }) => ({ values: rows * k, indices: rows * k }),
  linearLoss: () => ({ loss: 1 }),
  linearGradients: ({ rows, classes, features = 0 }) => ({
    loss: 1,
    features: rows * features,
    weight: classes * features,
  }),
};

/** Errors of an answer, relative: of its loss, and of its worst row. Infinity where a number is missing or not finite. */
export interface Errors {
  readonly loss: number;
  readonly rows: number;
}

/** Makes the function that holds a case's answers against float64. What can be computed beforehand is computed once. */
export function makeCheck(one: Case, inputs: Inputs): (outputs: Outputs) => Errors {
  const known: Known = one.features ? { ...inputs, logits: logitsOf(one, inputs) } : inputs;
  const checkRow = rowChecks[one.operation](one, known);
  const expected = lengths[one.operation](one);
  const loss = 'loss' in expected ? meanLoss(one, known) : 0;
  return (outputs) => {
    const wrong = Object.entries(expected).some(([name, length]) => outputs[name]?.length !== length);
    if (wrong) return { loss: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY };
    let rows = 0;
    for (let row = 0; row < one.rows; row++) rows = worse(rows, checkRow(row, outputs));
    return { loss: loss === 0 ? 0 : worse(0, relative(outputs['loss'][0], loss)), rows };
  };
}

/** What crosshead promises (docs/measured.md): 2e-6 for a loss, 5e-6 for a gradient, and units of 2^-23 for a probability. */
function promised({ operation, classes }: Case): Errors {
  const unit = 2 ** -23;
  // N(0, 1): the least probability of a row is about that of a logit of -5 beside the sum.
  const probability = 2 * unit * (4 + (Math.log(classes) + 5.5) / 2 + Math.log2(classes) / 2);
  const rows: Record<OperationName, number> = {
    softmax: probability,
    logSoftmax: 2e-6,
    crossEntropy: 0,
    crossEntropyGradient: 5e-6,
    argmax: 0,
    topK: 0,
    predict: 2e-5, // the sums of the products come before it
    linearLoss: 0,
    linearGradients: 2e-5,
  };
  return { loss: 2e-6, rows: rows[operation] };
}

/** Whether errors are small enough to be timed. Peers lose digits that crosshead may not. */
export function isRight(errors: Errors, one: Case, kind: string): boolean {
  const limit = kind === 'crosshead' ? promised(one) : { loss: 1e-3, rows: 1e-3 };
  return errors.loss <= limit.loss && errors.rows <= limit.rows;
}
