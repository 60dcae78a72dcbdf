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
import type { Entry, Tolerance } from './table.ts';

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
  binary: (n: number) => make(n, (i) => ((i * 5) % 3) & 1),
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

/** Of the first axis. */
const posWeightOf = (shape: readonly number[]) => make(shape[0], (i) => [0.5, 2, 3][i % 3]);

const elementwise: readonly Entry[] = [
  elementEntry({
    name: 'binaryCrossEntropy none with gradient',
    kind: 'probabilities',
    call: (x, t, options) => {
      const posWeight = x.context.tensor(posWeightOf(x.shape), [x.shape[0], ...x.shape.slice(1).map(() => 1)]);
      return binaryCrossEntropy(x, t, { ...options, posWeight });
    },
    pair: (x, t, i, shape) =>
      reference.binaryCrossEntropy(x, t, posWeightOf(shape)[Math.floor(i / (sizeOf(shape) / shape[0]))]),
    loss: near(2e-6),
    gradient: near(5e-6, 2e-6), // soft targets cancel
  }),
  elementEntry({
    name: 'sigmoidFocalLoss none with gradient',
    kind: 'binary',
    call: (x, t, options) => sigmoidFocalLoss(x, t, options),
    pair: (x, t) => reference.sigmoidFocalLoss(x, t),
    loss: near(2e-6),
    gradient: near(5e-6),
  }),
  elementEntry({
    name: 'sigmoidFocalLoss none, gamma 1.5, no alpha, with gradient',
    kind: 'binary',
    call: (x, t, options) => sigmoidFocalLoss(x, t, { ...options, gamma: 1.5, alpha: null }),
    pair: (x, t) => reference.sigmoidFocalLoss(x, t, 1.5, -1),
    loss: near(2e-6),
    gradient: near(5e-6),
  }),
  elementEntry({
    name: 'klDivLoss none with gradient',
    kind: 'probabilities',
    call: (x, t, options) => klDivLoss(x, t, options),
    pair: (x, t) => reference.klDivLoss(x, t),
    loss: near(2e-6, 1e-6), // two logarithms may cancel
    gradient: near(5e-6),
  }),
  elementEntry({
    name: 'klDivLoss none, logTarget, with gradient',
    kind: 'numbers',
    call: (x, t, options) => klDivLoss(x, t, { ...options, logTarget: true }),
    pair: (x, t) => reference.klDivLoss(x, t, true),
    loss: near(2e-6),
    gradient: near(5e-6),
  }),
  elementEntry({
    name: 'hingeLoss none with gradient',
    kind: 'signs',
    call: (x, t, options) => hingeLoss(x, t, options),
    pair: (x, t) => reference.hingeLoss(x, t),
    loss: near(2e-6),
    gradient: near(5e-6),
  }),
  elementEntry({
    name: 'hingeLoss none, squared, margin 0.5, with gradient',
    kind: 'signs',
    call: (x, t, options) => hingeLoss(x, t, { ...options, squared: true, margin: 0.5 }),
    pair: (x, t) => reference.hingeLoss(x, t, 0.5, true),
    loss: near(2e-6),
    gradient: near(5e-6),
  }),
  elementEntry({
    name: 'hingeEmbeddingLoss none with gradient',
    kind: 'signs',
    call: (x, t, options) => hingeEmbeddingLoss(x, t, options),
    pair: (x, t) => reference.hingeEmbeddingLoss(x, t),
    loss: near(2e-6),
    gradient: near(5e-6),
  }),
  elementEntry({
    name: 'meanSquaredError none with gradient',
    kind: 'numbers',
    call: (x, t, options) => meanSquaredError(x, t, options),
    pair: (x, t) => reference.meanSquaredError(x, t),
    loss: near(2e-6),
    gradient: near(5e-6),
  }),
  {
    name: 'binaryCrossEntropy sum over its own logits',
    dtypes: floats,
    call: (x) => {
      const t = like(x, targets.probabilities(x.size));
      const { loss, gradient } = binaryCrossEntropy(x, t, { reduction: 'sum', upstream: -0.75, gradientOut: x });
      return { loss, gradient: gradient! };
    },
    reference: (x) => {
      const t = targets.probabilities(x.length);
      const options = { reduction: 'sum', upstream: [-0.75] } as const;
      const ones = new Float64Array(x.length).fill(1);
      return { ...reference.elements(x, (v, i) => reference.binaryCrossEntropy(v, t[i]), ones, options) };
    },
    tolerances: { loss: near(2e-6), gradient: near(5e-6, 2e-6) },
  },
];

interface Embedding {
  name: string;
  /** Of the first input and two others, of which losses of two inputs leave one out. */
  call(inputs: readonly [Tensor, Tensor, Tensor], rowShape: readonly number[], options: object): Result;
  row(inputs: number[][], r: number): reference.Row;
  inputs: 2 | 3;
  elementwise?: boolean;
  loss: Tolerance;
  gradient: Tolerance;
}

type Result = { loss: Tensor; gradients?: Record<string, Tensor> };

const others = (n: number) => [targets.numbers(n), make(n, (i) => ((i * 23) % 32) / 4 - 3)];
const sampleWeightsOf = (rows: number) => make(rows, (r) => [1, 2, 0, 0.5][r % 4]);

/** One loss a row, weighted, with the gradients by all inputs. */
const embeddingEntry = ({ name, call, row, inputs, elementwise, loss, gradient }: Embedding): Entry => ({
  name,
  dtypes: floats,
  call: (x) => {
    const rowShape = elementwise ? x.shape : x.shape.slice(0, -1);
    const [second, third] = others(x.size).map((values) => like(x, values));
    const sampleWeights = x.context.tensor(sampleWeightsOf(sizeOf(rowShape)), rowShape);
    const options = { reduction: 'none', gradient: true, sampleWeights };
    const { loss, gradients } = call([x, second, third], rowShape, options);
    const named = Object.values(gradients!).map((tensor, n) => [`gradient ${n}`, tensor]);
    return { loss, ...Object.fromEntries(named) };
  },
  reference: (x, shape) => {
    const features = elementwise ? 1 : shape[shape.length - 1];
    const count = sizeOf(elementwise ? shape : shape.slice(0, -1));
    const all = [x, ...others(x.length)].slice(0, inputs);
    const { loss, gradients } = reference.rows(all, features, row, sampleWeightsOf(count));
    return { loss, ...Object.fromEntries(gradients.map((g, n) => [`gradient ${n}`, g])) };
  },
  tolerances: { loss, 'gradient 0': gradient, 'gradient 1': gradient, 'gradient 2': gradient },
});

/** Distances, which grow with the root of the features, are subtracted. */
const ofDistances: Tolerance = (expected, { classes }) => 2e-6 * (Math.abs(expected) + 4 * Math.sqrt(classes) + 16);

const signsOf = (x: Tensor, shape: readonly number[]) => like(x, targets.signs(sizeOf(shape)), shape);
const signOf = (r: number) => targets.signs(r + 1)[r];
const similarOf = (rows: number) => Int32Array.from(targets.binary(rows));

const embeddings: readonly Entry[] = [
  embeddingEntry({
    name: 'tripletMarginLoss none with gradients',
    inputs: 3,
    call: ([a, p, n], _, options) => tripletMarginLoss(a, p, n, options),
    row: (inputs) => reference.tripletMarginLoss(inputs),
    loss: ofDistances,
    gradient: near(5e-6, 2e-6),
  }),
  embeddingEntry({
    name: 'tripletMarginLoss none, p 1.5, swap, with gradients',
    inputs: 3,
    call: ([a, p, n], _, options) => tripletMarginLoss(a, p, n, { ...options, p: 1.5, swap: true, margin: 8 }),
    row: (inputs) => reference.tripletMarginLoss(inputs, { p: 1.5, swap: true, margin: 8 }),
    loss: (expected, place) => 4 * ofDistances(expected, place),
    gradient: near(5e-6, 2e-6),
  }),
  embeddingEntry({
    name: 'contrastiveLoss none with gradients',
    inputs: 2,
    call: ([a, b], rowShape, options) => {
      const similar = a.context.tensor(similarOf(sizeOf(rowShape)), rowShape);
      return contrastiveLoss(a, b, similar, { ...options, margin: 20 });
    },
    row: (inputs, r) => reference.contrastiveLoss(inputs, targets.binary(r + 1)[r], 20),
    loss: near(2e-6, 5e-5), // the margin less a distance, squared
    gradient: near(5e-6, 5e-6),
  }),
  embeddingEntry({
    name: 'cosineEmbeddingLoss none with gradients',
    inputs: 2,
    call: ([a, b], rowShape, options) => cosineEmbeddingLoss(a, b, signsOf(a, rowShape), options),
    row: (inputs, r) => reference.cosineEmbeddingLoss(inputs, signOf(r)),
    loss: near(2e-6, 1e-6),
    gradient: near(5e-6, 2e-6),
  }),
  embeddingEntry({
    name: 'marginRankingLoss none with gradients',
    inputs: 2,
    elementwise: true,
    call: ([a, b], shape, options) => marginRankingLoss(a, b, signsOf(a, shape), { ...options, margin: 0.5 }),
    row: (inputs, r) => reference.marginRankingLoss(inputs, signOf(r), 0.5),
    loss: near(2e-6),
    gradient: near(5e-6),
  }),
];

export const elementEntries: readonly Entry[] = [...elementwise, ...embeddings];
