// The one table of operations. Parity, special rows, shader variants and benchmark cases are all made from it.
//
// To add an operation: one entry, with the call, a float64 reference (support/reference.ts) and what each result is allowed
// to be off. An entry sees a matrix `x` of any shape and dtype and a class axis; what else it needs it makes from their sizes.

import {
  adamW,
  argmax,
  argmin,
  crossEntropy,
  type DType,
  linear,
  logSoftmax,
  logSumExp,
  type Optimizer,
  type SampleOptions,
  sample,
  sgd,
  sigmoid,
  softmax,
  type Tensor,
  topK,
} from '../src/index.ts';
import { classEntries } from './class-entries.ts';
import { elementEntries } from './element-entries.ts';
import { linearEntries } from './linear-entries.ts';
import { crossEntropyOf } from './support/cross-entropy-reference.ts';
import { normal } from './support/random.ts';
import * as reference from './support/reference.ts';
import { flushed, ofRow, relative, type Tolerance, unit } from './support/tolerances.ts';

export type { Place, Tolerance } from './support/tolerances.ts';

type Numbers = ArrayLike<number>;

export interface Entry {
  /** The operation, and what is special about the call. */
  readonly name: string;
  readonly dtypes: readonly DType[];
  call(x: Tensor, axis: number): Record<string, Tensor>;
  reference(x: Numbers, shape: readonly number[], axis: number): Record<string, Numbers>;
  /** The derivative of the objective by the loss, which the gradient is multiplied by; 1 by default. */
  readonly upstream?: number;
  /** By result; a result that is not named must be equal. */
  readonly tolerances: Readonly<Record<string, Tolerance>>;
}

const floats: DType[] = ['float32', 'float16'];
const all: DType[] = ['float32', 'float16', 'int32', 'uint32'];

const probability: Tolerance = (p, { classes, slack }) =>
  slack * (4 + Math.abs(Math.log(p || flushed)) / 2 + Math.log2(classes) / 2) * unit * p + flushed;
/** A maximum and a logarithm are added, of which one may cancel the other. */
const logSum: Tolerance = (expected, { classes }) => 2e-6 * Math.max(Math.abs(expected), Math.log(classes), 1);

/** A target for each row, spread over the classes, with every seventh row ignored. */
export function targetsFor(shape: readonly number[], axis: number, ignoreIndex = -100): Int32Array {
  const classes = shape[axis];
  const rows = shape.reduce((a, b) => a * b, 1) / (classes || 1);
  return Int32Array.from({ length: rows }, (_, r) => (r % 7 === 6 ? ignoreIndex : (r * 31 + 7) % classes));
}

const crossEntropyEntry = (reduction: 'mean' | 'sum' | 'none', upstream?: number): Entry => ({
  name: `crossEntropy ${reduction}${upstream === undefined ? '' : ', upstream'} with gradient`,
  dtypes: floats,
  call: (x, axis) => {
    const rows = x.shape.filter((_, i) => i !== axis);
    const targets = x.context.tensor(targetsFor(x.shape, axis), rows);
    return { ...crossEntropy(x, targets, { axis, reduction, gradient: true, upstream }) };
  },
  reference: (x, shape, axis) => {
    const { loss, gradient } = reference.crossEntropy(x, shape, targetsFor(shape, axis), { axis, reduction, upstream });
    return { loss, gradient };
  },
  upstream,
  tolerances: { loss: relative(2e-6), gradient: ofRow(5e-6) },
});

/** Weights from 0.25 to 1.5, one of them 0. */
const weightsFor = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (i % 5 === 3 ? 0 : 0.25 * ((i % 6) + 1)));

/** Labels that do not sum to one, some of them 0. */
const labelsFor = (size: number): Float32Array => normal(size, { seed: 21 }).map((v) => Math.max(0, v));

const transforms = { labelSmoothing: 0.125, zLoss: 0.01, softcap: 5, temperature: 0.75 };
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Every option at once, with indices or with soft labels. */
const crossEntropyWhole = (soft: boolean, reduction: 'mean' | 'none'): Entry => ({
  name: `crossEntropy ${reduction} of ${soft ? 'soft labels' : 'indices'}, every option`,
  dtypes: floats,
  call: (x, axis) => {
    const rowShape = x.shape.filter((_, i) => i !== axis);
    const targets = soft
      ? x.context.tensor(labelsFor(x.size), x.shape)
      : x.context.tensor(targetsFor(x.shape, axis), rowShape);
    const { loss, gradient, targetGradient, correct, logSumExp } = crossEntropy(x, targets, {
      ...transforms,
      axis,
      reduction,
      gradient: true,
      metrics: true,
      targetGradient: soft,
      classWeights: weightsFor(x.shape[axis]),
      sampleWeights: x.context.tensor(weightsFor(sizeOf(rowShape)), rowShape),
    });
    return {
      loss,
      gradient: gradient!,
      correct: correct!,
      logSumExp: logSumExp!,
      ...(soft ? { targetGradient: targetGradient! } : {}),
    };
  },
  reference: (x, shape, axis) => {
    const options = {
      ...transforms,
      reduction,
      classWeights: weightsFor(shape[axis]),
      sampleWeights: weightsFor(sizeOf(shape.filter((_, i) => i !== axis))),
      ...(soft ? { labels: labelsFor(x.length) } : { targets: targetsFor(shape, axis) }),
    };
    const { targetGradient, ...rest } = crossEntropyOf(x, shape, axis, options);
    return soft ? { ...rest, targetGradient } : rest;
  },
  // Softcap rounds the logits themselves, to a unit of their last place, which the exponential multiplies.
  tolerances: { loss: relative(4e-6), gradient: ofRow(2e-5), targetGradient: ofRow(5e-6), logSumExp: logSum },
});

/** Draws are equal on all backends but where two classes lie within rounding, which no row of these tests does. */
function sampleEntry({ topK = Number.POSITIVE_INFINITY, ...filters }: Omit<SampleOptions, 'seed'>): Entry {
  const named = Object.entries(Number.isFinite(topK) ? { topK, ...filters } : filters);
  const options = (classes: number) => ({ ...filters, topK: Math.min(topK, classes), seed: 2 ** 40 + 7 });
  return {
    name: ['sample', ...named.map(([name, value]) => `${name} ${value}`)].join(', '),
    dtypes: floats,
    call: (x, axis) => ({ result: sample(x, { ...options(x.shape[axis]), axis }) }),
    reference: (x, shape, axis) => ({ result: reference.sample(x, shape, { ...options(shape[axis]), axis }) }),
    tolerances: {},
  };
}

/** A weight [5, D] for features whose last axis has D. */
const weightFor = (depth: number): Float32Array => normal(5 * depth, { seed: 5 });

const slopesFor = (size: number): Float32Array => normal(size, { seed: 31 });

/** Two steps with the same gradient, from x. */
const stepEntry = (name: string, make: () => Optimizer, steps: typeof reference.sgdSteps): Entry => ({
  name: `${name}, two steps`,
  dtypes: ['float32'],
  call: (x) => {
    const gradient = x.context.tensor(slopesFor(x.size), x.shape);
    const optimizer = make();
    for (let step = 0; step < 2; step++) optimizer.step([x], [gradient]);
    optimizer.dispose();
    gradient.dispose();
    return { result: x };
  },
  reference: (x) => ({ result: steps(x, slopesFor(x.length)) }),
  tolerances: { result: (expected) => 4 * unit * Math.max(1, Math.abs(expected)) },
});

export const table: readonly Entry[] = [
  {
    name: 'softmax',
    dtypes: floats,
    call: (x, axis) => ({ result: softmax(x, { axis }) }),
    reference: (x, shape, axis) => ({ result: reference.softmax(x, shape, { axis }) }),
    tolerances: { result: probability },
  },
  {
    name: 'softmax, temperature 0.5',
    dtypes: floats,
    call: (x, axis) => ({ result: softmax(x, { axis, temperature: 0.5 }) }),
    reference: (x, shape, axis) => ({ result: reference.softmax(x, shape, { axis, temperature: 0.5 }) }),
    tolerances: { result: probability },
  },
  {
    name: 'logSoftmax',
    dtypes: floats,
    call: (x, axis) => ({ result: logSoftmax(x, { axis }) }),
    reference: (x, shape, axis) => ({ result: reference.logSoftmax(x, shape, { axis }) }),
    tolerances: { result: relative(2e-6) },
  },
  {
    name: 'logSumExp',
    dtypes: floats,
    call: (x, axis) => ({ result: logSumExp(x, { axis }) }),
    reference: (x, shape, axis) => ({ result: reference.logSumExp(x, shape, axis) }),
    tolerances: { result: logSum },
  },
  {
    name: 'sigmoid',
    dtypes: floats,
    call: (x) => ({ result: sigmoid(x) }),
    reference: (x) => ({ result: reference.sigmoid(x) }),
    tolerances: { result: (expected) => 4 * unit * expected + flushed },
  },
  ...[softmax, logSoftmax, (x: Tensor, { out }: { out: Tensor }) => sigmoid(x, { out })].map(
    (operation, i): Entry => ({
      name: `${['softmax', 'logSoftmax', 'sigmoid'][i]} over its own logits`,
      dtypes: floats,
      call: (x, axis) => ({ result: operation(x, { axis, out: x }) }),
      reference: (x, shape, axis) => ({
        result: [reference.softmax, reference.logSoftmax, reference.sigmoid][i](x, shape, { axis }),
      }),
      tolerances: { result: [probability, relative(2e-6), relative(4 * unit)][i] },
    }),
  ),
  {
    name: 'argmax',
    dtypes: all,
    call: (x, axis) => ({ result: argmax(x, { axis }) }),
    reference: (x, shape, axis) => ({ result: reference.argmax(x, shape, axis) }),
    tolerances: {},
  },
  {
    name: 'argmin',
    dtypes: all,
    call: (x, axis) => ({ result: argmin(x, { axis }) }),
    reference: (x, shape, axis) => ({ result: reference.argmin(x, shape, axis) }),
    tolerances: {},
  },
  ...[1, 5, 20].map(
    (most): Entry => ({
      name: `topK of ${most}`,
      dtypes: all,
      call: (x, axis) => ({ ...topK(x, Math.min(most, x.shape[axis]), { axis }) }),
      reference: (x, shape, axis) => ({ ...reference.topK(x, shape, Math.min(most, shape[axis]), axis) }),
      tolerances: {},
    }),
  ),
  sampleEntry({}),
  sampleEntry({ topK: 5, temperature: 3 }),
  sampleEntry({ topP: 0.8 }),
  sampleEntry({ minP: 0.1 }),
  sampleEntry({ topK: 20, topP: 0.9, minP: 0.01, temperature: 2 }),
  crossEntropyEntry('mean'),
  crossEntropyEntry('sum', -0.75),
  crossEntropyEntry('none'),
  {
    name: 'crossEntropy, loss alone',
    dtypes: floats,
    call: (x, axis) => ({
      loss: crossEntropy(
        x,
        x.context.tensor(
          targetsFor(x.shape, axis),
          x.shape.filter((_, i) => i !== axis),
        ),
        { axis },
      ).loss,
    }),
    reference: (x, shape, axis) => ({ loss: reference.crossEntropy(x, shape, targetsFor(shape, axis), { axis }).loss }),
    tolerances: { loss: relative(2e-6) },
  },
  {
    name: 'crossEntropy over its own logits',
    dtypes: floats,
    call: (x, axis) => {
      const rows = x.shape.filter((_, i) => i !== axis);
      const targets = x.context.tensor(targetsFor(x.shape, axis), rows);
      const { loss, gradient } = crossEntropy(x, targets, { axis, reduction: 'sum', gradientOut: x });
      return { loss, gradient: gradient! };
    },
    reference: (x, shape, axis) => {
      const { loss, gradient } = reference.crossEntropy(x, shape, targetsFor(shape, axis), { axis, reduction: 'sum' });
      return { loss, gradient };
    },
    tolerances: { loss: relative(2e-6), gradient: ofRow(5e-6) },
  },
  crossEntropyWhole(false, 'mean'),
  crossEntropyWhole(true, 'mean'),
  crossEntropyWhole(true, 'none'),
  ...classEntries,
  {
    name: 'linear with bias',
    dtypes: floats,
    // Along the last axis, whatever the class axis: features have no other.
    call: (x) => {
      const depth = x.shape[x.shape.length - 1];
      return { result: linear(x, x.context.tensor(weightFor(depth), [5, depth]), { bias: [1, 0, -1, 0.5, 2] }) };
    },
    reference: (x, shape) => {
      const depth = shape[shape.length - 1];
      const bias = [1, 0, -1, 0.5, 2];
      const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
      // Without features, a row's logits are the bias.
      if (depth === 0) return { result: Array.from({ length: rows * 5 }, (_, i) => bias[i % 5]) };
      return { result: reference.linear(x, weightFor(depth), depth, bias) };
    },
    // As float32 sums lose: terms of the size of the row's largest logit add up.
    tolerances: { result: (_, { scale, classes }) => 4 * unit * Math.sqrt(classes) * Math.max(1, scale) },
  },
  ...linearEntries,
  ...elementEntries,
  stepEntry('sgd', () => sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 }), reference.sgdSteps),
  stepEntry('adamW', () => adamW({ learningRate: 0.1, weightDecay: 0.1 }), reference.adamWSteps),
];
