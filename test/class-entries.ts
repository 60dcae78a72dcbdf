// The entries of the table (test/table.ts) of losses with a class axis but crossEntropy, of entropy, and of derivatives by logits.

import {
  brierLoss,
  type DType,
  entropy,
  entropyGradient,
  entropyLoss,
  focalLoss,
  jsDivergence,
  klDivergence,
  type LossResult,
  logSoftmax,
  logSoftmaxGradient,
  logSumExpGradient,
  multiMarginLoss,
  nllLoss,
  type RowLossOptions,
  softmax,
  softmaxGradient,
  type Tensor,
} from '../src/index.ts';
import { withoutAxis } from '../src/rows.ts';
import * as of from './support/class-losses-reference.ts';
import { normal } from './support/random.ts';
import * as reference from './support/reference.ts';
import { flushed, ofRow, relative, type Tolerance } from './support/tolerances.ts';
import type { Entry } from './table.ts';

type Numbers = ArrayLike<number>;
type Shape = readonly number[];

const floats: DType[] = ['float32', 'float16'];
const sizeOf = (shape: Shape) => shape.reduce((a, b) => a * b, 1);
const rowsIn = (shape: Shape, axis: number) => sizeOf(withoutAxis(shape, axis));
const make = (length: number, value: (i: number) => number) => Float32Array.from({ length }, (_, i) => value(i));

/** A class for each row. */
const targetsFor = (shape: Shape, axis: number): Int32Array =>
  Int32Array.from({ length: rowsIn(shape, axis) }, (_, r) => (r * 31 + 7) % shape[axis]);
/** The same, every seventh ignored. */
const someTargetsFor = (shape: Shape, axis: number) =>
  targetsFor(shape, axis).map((target, r) => (r % 7 === 6 ? -100 : target));
/** All of these are exact in float16 too. */
const classWeightsFor = (shape: Shape, axis: number) => make(shape[axis], (c) => [1, 0.5, 0.25, 0.75][c % 4]);
/** One row in five weighs nothing. */
const sampleWeightsFor = (shape: Shape, axis: number) => make(rowsIn(shape, axis), (r) => [1, 0.5, 1.5, 0, 2][r % 5]);
const otherLogits = (size: number) => normal(size, { sigma: 2, seed: 31 }).map((v) => Math.round(v * 64) / 64);
/** They need not sum to one. */
const labelsFor = (size: number) => make(size, (i) => [0.25, 0, 0.5, 0.125, 0.75, 0, 0.0625][(i * 3) % 7]);
const upstreamMatrix = (size: number) => make(size, (i) => [1, -0.5, 0.25, 2, -1.5][(i * 3) % 5]);
const upstreamRows = (rows: number) => make(rows, (r) => [1, -0.5, 2, -1.25][r % 4]);

interface Loss {
  readonly name: string;
  call(x: Tensor, axis: number, options: RowLossOptions): LossResult;
  row(row: number[], r: number, x: Numbers, shape: Shape, axis: number): of.RowResult | null;
  /** What a row weighs in the divisor of 'mean'. */
  weightOf?(r: number, shape: Shape, axis: number): number;
  readonly loss?: Tolerance;
  readonly gradient?: Tolerance;
}

const indices = (x: Tensor, axis: number, values = targetsFor(x.shape, axis)) =>
  x.context.tensor(values, withoutAxis(x.shape, axis));
const like = (x: Tensor, values: Float32Array) => x.context.tensor(values, x.shape, { dtype: x.dtype });

/** One loss a row; and all common options with the gradient over the input itself. */
const lossEntries = ({ name, call, row, weightOf, ...given }: Loss): Entry[] => {
  const { loss = relative(2e-6, flushed), gradient = ofRow(5e-6) } = given;
  const upstream = -0.75;
  const framed = (x: Numbers, shape: Shape, axis: number, options: of.FrameOptions) =>
    of.framed(x, shape, axis, { ...options, weightOf: (r) => weightOf?.(r, shape, axis) ?? 1 }, (values, r) =>
      row(values, r, x, shape, axis),
    );
  return [
    {
      name: `${name}, none with gradient`,
      dtypes: floats,
      call: (x, axis) => {
        const results = call(x, axis, { axis, reduction: 'none', gradient: true });
        return { loss: results.loss, gradient: results.gradient! };
      },
      reference: (x, shape, axis) => ({ ...framed(x, shape, axis, { reduction: 'none' }) }),
      tolerances: { loss, gradient },
    },
    {
      name: `${name}, weighted mean over its own input`,
      dtypes: floats,
      call: (x, axis) => {
        const sampleWeights = x.context.tensor(sampleWeightsFor(x.shape, axis), withoutAxis(x.shape, axis));
        const results = call(x, axis, { axis, gradientOut: x, upstream, sampleWeights });
        return { loss: results.loss, gradient: results.gradient! };
      },
      reference: (x, shape, axis) => {
        const options = { upstream, sampleWeights: sampleWeightsFor(shape, axis) };
        return { ...framed(x, shape, axis, options) };
      },
      upstream,
      tolerances: { loss, gradient },
    },
  ];
};

const jsEntry: Entry = {
  name: 'jsDivergence, none with gradients',
  dtypes: floats,
  call: (x, axis) => {
    const { loss, gradients } = jsDivergence(x, like(x, otherLogits(x.size)), {
      axis,
      reduction: 'none',
      gradient: true,
    });
    return { loss, gradient: gradients!.logitsA, ofB: gradients!.logitsB };
  },
  reference: (x, shape, axis) => {
    const other = otherLogits(x.length);
    const options = { reduction: 'none' } as const;
    const result = of.framed(x, shape, axis, options, (row, r) => of.jsRow(row, of.rowOf(other, shape, axis, r)));
    const back = of.framed(other, shape, axis, options, (row, r) => of.jsRow(row, of.rowOf(x, shape, axis, r)));
    return { ...result, ofB: back.gradient };
  },
  tolerances: { loss: relative(2e-6, flushed), gradient: ofRow(5e-6), ofB: ofRow(5e-6) },
};

/** Rows' results, weighed by an upstream of one number a row. */
const byRows = (x: Numbers, shape: Shape, axis: number, row: (values: number[]) => of.RowResult) =>
  of.framed(x, shape, axis, { reduction: 'none', upstream: upstreamRows(rowsIn(shape, axis)) }, row);

const upstreamOf = (x: Tensor, axis: number) =>
  x.context.tensor(upstreamRows(rowsIn(x.shape, axis)), withoutAxis(x.shape, axis));

/** u_c - p_c sum of u, with 1 - p from the log-probability. */
const logSoftmaxRow = (row: number[], u: number[]) =>
  row.map((logP, c) => {
    const others = u.reduce((a, v, k) => (k === c ? a : a + v), 0);
    return -Math.expm1(logP) * u[c] - Math.exp(logP) * others;
  });

export const classEntries: readonly Entry[] = [
  ...lossEntries({
    name: 'nllLoss',
    call: (x, axis, options) =>
      nllLoss(x, indices(x, axis, someTargetsFor(x.shape, axis)), {
        ...options,
        classWeights: classWeightsFor(x.shape, axis),
      }),
    row: (row, r, _, shape, axis) => {
      const target = someTargetsFor(shape, axis)[r];
      return target === -100 ? null : of.nllRow(row, target, classWeightsFor(shape, axis)[target]);
    },
    weightOf: (r, shape, axis) => classWeightsFor(shape, axis)[targetsFor(shape, axis)[r]],
  }),
  ...lossEntries({
    name: 'focalLoss',
    call: (x, axis, options) => focalLoss(x, indices(x, axis), options),
    row: (row, r, _, shape, axis) => of.focalRow(row, targetsFor(shape, axis)[r]),
  }),
  ...lossEntries({
    name: 'focalLoss, gamma 0.75, alpha',
    call: (x, axis, options) =>
      focalLoss(x, indices(x, axis), { ...options, gamma: 0.75, alpha: classWeightsFor(x.shape, axis) }),
    row: (row, r, _, shape, axis) => {
      const target = targetsFor(shape, axis)[r];
      return of.focalRow(row, target, 0.75, classWeightsFor(shape, axis)[target]);
    },
  }),
  ...lossEntries({
    name: 'klDivergence, temperature 2',
    call: (x, _, options) => klDivergence(x, like(x, labelsFor(x.size)), { ...options, temperature: 2 }),
    row: (row, r, x, shape, axis) => of.klRow(row, of.rowOf(labelsFor(x.length), shape, axis, r), 2),
    loss: relative(2e-6, 1e-6), // near its least, where the terms cancel
  }),
  jsEntry,
  ...lossEntries({
    name: 'entropyLoss',
    call: (x, _, options) => entropyLoss(x, options),
    row: (row) => of.entropyRow(row),
  }),
  ...lossEntries({
    name: 'multiMarginLoss',
    call: (x, axis, options) => multiMarginLoss(x, indices(x, axis), options),
    row: (row, r, _, shape, axis) => of.marginRow(row, targetsFor(shape, axis)[r]),
    loss: relative(2e-6, 1e-6), // the rounding of the differences
  }),
  ...lossEntries({
    name: 'multiMarginLoss, p 2, margin 0.5, classWeights',
    call: (x, axis, options) =>
      multiMarginLoss(x, indices(x, axis), {
        ...options,
        p: 2,
        margin: 0.5,
        classWeights: classWeightsFor(x.shape, axis),
      }),
    row: (row, r, _, shape, axis) => {
      const target = targetsFor(shape, axis)[r];
      return of.marginRow(row, target, 2, 0.5, classWeightsFor(shape, axis)[target]);
    },
    loss: relative(2e-6, 1e-6),
  }),
  ...lossEntries({
    name: 'brierLoss of indices',
    call: (x, axis, options) => brierLoss(x, indices(x, axis), options),
    row: (row, r, _, shape, axis) => of.brierRow(row, of.oneHot(row.length, targetsFor(shape, axis)[r])),
  }),
  ...lossEntries({
    name: 'brierLoss of soft labels',
    call: (x, axis, options) =>
      x.shape[axis] === 1
        ? brierLoss(x, indices(x, axis), options) // labels would have the shape of indices
        : brierLoss(x, like(x, labelsFor(x.size)), options),
    row: (row, r, x, shape, axis) =>
      of.brierRow(row, row.length === 1 ? [1] : of.rowOf(labelsFor(x.length), shape, axis, r)),
    loss: relative(2e-6, 1e-6), // where p is near the label
    gradient: (_, { scale }) => 5e-6 * scale + 1e-7,
  }),
  {
    name: 'entropy',
    dtypes: floats,
    call: (x, axis) => ({ result: entropy(x, { axis }) }),
    reference: (x, shape, axis) => ({ result: byRows(x, shape, axis, of.entropyRow).loss }),
    tolerances: { result: relative(2e-6, flushed) },
  },
  {
    name: 'entropyGradient over its own logits',
    dtypes: floats,
    call: (x, axis) => ({ result: entropyGradient(x, upstreamOf(x, axis), { axis, out: x }) }),
    reference: (x, shape, axis) => ({ result: byRows(x, shape, axis, of.entropyRow).gradient }),
    tolerances: { result: ofRow(5e-6) },
  },
  {
    name: 'logSumExpGradient over its own logits',
    dtypes: floats,
    call: (x, axis) => ({ result: logSumExpGradient(x, upstreamOf(x, axis), { axis, out: x }) }),
    reference: (x, shape, axis) => {
      const p = reference.softmax(x, shape, { axis });
      const upstream = upstreamRows(rowsIn(shape, axis));
      const row = (values: number[]) => ({ loss: 0, gradient: values });
      return { result: of.framed(p, shape, axis, { reduction: 'sum', upstream }, row).gradient };
    },
    tolerances: { result: ofRow(5e-6) },
  },
  {
    // Of the rounded results of softmax and logSoftmax, so that these are part of the error.
    name: 'softmaxGradient',
    dtypes: ['float32'],
    call: (x, axis) => ({ result: softmaxGradient(softmax(x, { axis }), upstreamMatrix(x.size), { axis }) }),
    reference: (x, shape, axis) => {
      const u = upstreamMatrix(x.length);
      const p = reference.softmax(x, shape, { axis });
      const row = (values: number[], r: number) => {
        const own = of.rowOf(u, shape, axis, r);
        const gradient = values.map((v, c) => v * values.reduce((a, w, k) => a + w * (own[c] - own[k]), 0));
        return { loss: 0, gradient };
      };
      return { result: of.framed(p, shape, axis, { reduction: 'sum' }, row).gradient };
    },
    tolerances: { result: () => 5e-6 },
  },
  {
    name: 'logSoftmaxGradient',
    dtypes: ['float32'],
    call: (x, axis) => ({ result: logSoftmaxGradient(logSoftmax(x, { axis }), upstreamMatrix(x.size), { axis }) }),
    reference: (x, shape, axis) => {
      const u = upstreamMatrix(x.length);
      const logs = reference.logSoftmax(x, shape, { axis });
      const row = (values: number[], r: number) => ({
        loss: 0,
        gradient: logSoftmaxRow(values, of.rowOf(u, shape, axis, r)),
      });
      return { result: of.framed(logs, shape, axis, { reduction: 'sum' }, row).gradient };
    },
    tolerances: { result: ofRow(5e-6) },
  },
];
