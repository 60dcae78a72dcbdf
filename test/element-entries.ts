// The entries of the table (test/table.ts) that have no class axis: elementwise losses, and losses of embeddings, whose rows are all but
// the last axis whatever the class axis is.

import {
  binaryCrossEntropy,
  contrastiveLoss,
  cosineEmbeddingLoss,
  type DType,
  hingeEmbeddingLoss,
  hingeLoss,
  klDivLoss,
  type LossResult,
  marginRankingLoss,
  meanSquaredError,
  sigmoidFocalLoss,
  type Tensor,
  tripletMarginLoss,
} from '../src/index.ts';
import * as reference from './support/element-reference.ts';
import { normal } from './support/random.ts';
import type { Entry, Tolerance } from './table.ts';

type Numbers = ArrayLike<number>;

const floats: DType[] = ['float32', 'float16'];
const flushed = 2 ** -126;
const near =
  (relative: number, absolute = flushed): Tolerance =>
  (expected) =>
    relative * Math.abs(expected) + absolute;

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const make = (length: number, of: (i: number) => number) => Float32Array.from({ length }, (_, i) => of(i));

/** All of these are exact in float16 too. */
const targets = {
  probabilities: (n: number) => make(n, (i) => [0, 1, 0.25, 1, 0, 0.875][(i * 7) % 6]),
  binary: (n: number) => make(n, (i) => (i * 5) % 3 & 1),
  signs: (n: number) => make(n, (i) => ((i * 7) % 5 < 3 ? 1 : -1)),
  numbers: (n: number) => make(n, (i) => ((i * 37) % 64) / 8 - 4),
};
/** Of the last axis; one of them is 0. */
const weightsOf = (shape: readonly number[]) => make(shape[shape.length - 1], (i) => [1, 2, 1, 0, 1.5][i % 5]);
const upstreamOf = (n: number) => make(n, (i) => [1, -1.25, 2, 1][i % 4]);

const like = (x: Tensor, values: Float32Array, shape = x.shape) => x.context.tensor(values, shape, { dtype: x.dtype });

interface Element {
  name: string;
  kind: keyof typeof targets;
  call(x: Tensor, t: Tensor, options: object): LossResult;
  pair(x: number, t: number, i: number, shape: readonly number[]): reference.Pair;
  loss: Tolerance;
  gradient: Tolerance;
}

/** One loss an element, weighted along the last axis, with the gradient. */
const elementEntry = ({ name, kind, call, pair, ...tolerances }: Element): Entry => ({
  name,
  dtypes: floats,
  call: (x) => {
    const upstream = x.context.tensor(upstreamOf(x.size), x.shape);
    const options = { reduction: 'none', gradient: true, weights: weightsOf(x.shape), upstream };
    const { loss, gradient } = call(x, like(x, targets[kind](x.size)), options);
    return { loss, gradient: gradient! };
  },
  reference: (x, shape) => {
    const t = targets[kind](x.length);
    const last = weightsOf(shape);
    const weights = make(x.length, (i) => last[i % last.length]);
    const options = { reduction: 'none', upstream: upstreamOf(x.length) } as const;
    return { ...reference.elements(x, (v, i) => pair(v, t[i], i, shape), weights, options) };
  },
  tolerances,
});

const posWeightOf = (shape: readonly number[]) => make(shape[0], (i) => [0.5, 2, 3][i % 3]);

const elementwise: readonly Entry[] = [
  elementEntry({
    name: 'binaryCrossEntropy none with gradient',
    kind: 'probabilities',
    call: (x, t, options) => {
      // One a slab of the first axis.
      const posWeight = like(x, posWeightOf(x.shape), [x.shape[0], ...x.shape.slice(1).fill(1)] as number[]);
      return binaryCrossEntropy(x, t, { ...options, ...(x.dtype === 'float32' ? { posWeight } : {}) });
    },
    pair: (x, t) => reference.binaryCrossEntropy(x, t),
    loss: near(2e-6),
    gradient: near(5e-6, 1e-6),
  }),
];

export const elementEntries: readonly Entry[] = elementwise;
