// The chapter of the one table (table.ts) for the linear head whose logits are never stored. Its rows lie along the last axis, whatever the
// class axis: features have no other.

import { roundToHalf } from '../src/float16.ts';
import {
  type DType,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
  linearTopK,
  type Tensor,
} from '../src/index.ts';
import type { Options } from './support/cross-entropy-reference.ts';
import { linearCrossEntropyOf, linearTopKOf } from './support/linear-reference.ts';
import { normal } from './support/random.ts';
import type { Tolerance } from './support/tolerances.ts';
import type { Entry } from './table.ts';

type Numbers = ArrayLike<number>;

/** Past a tile of eight classes, and not a multiple of four. */
const classes = 11;

const sizesOf = (shape: readonly number[]) => {
  const depth = shape[shape.length - 1];
  return { depth, rows: shape.slice(0, -1).reduce((a, b) => a * b, 1), rowShape: shape.slice(0, -1) };
};

/** So small that logits are of the features' size. */
const weightsOf = (depth: number) => normal(classes * depth, { seed: 5 }).map((v) => v / Math.sqrt(depth));
const bytesOf = (depth: number) =>
  Int8Array.from(normal(classes * depth, { sigma: 40, seed: 5 }), (v) => Math.max(-127, Math.min(127, v)));
const scalesOf = (depth: number) =>
  Float32Array.from({ length: classes }, (_, c) => (0.5 + c / classes) / 40 / Math.sqrt(depth || 1));
const bias = normal(classes, { seed: 6 });
const targetsOf = (rows: number) =>
  Int32Array.from({ length: rows }, (_, r) => (r % 7 === 6 ? -100 : (r * 31 + 7) % classes));
const labelsOf = (rows: number) => normal(rows * classes, { seed: 21 }).map((v) => Math.max(0, v));
const someOf = (length: number) => Float32Array.from({ length }, (_, i) => (i % 5 === 3 ? 0 : 0.25 * ((i % 6) + 1)));

/** Logits are products in float32, rounded to units of the largest term; so then is all that is made of them. */
const sums: Tolerance = (expected, { scale }) => 4e-6 * Math.max(1, Math.abs(expected)) + 1e-5 * scale;

function entry(
  name: string,
  weightType: DType,
  soft: boolean,
  options: Partial<LinearCrossEntropyOptions> & Options,
  withWeights = false,
): Entry {
  const weightOf = (depth: number): Numbers => {
    if (weightType === 'int8')
      return Float64Array.from(bytesOf(depth), (v, i) => v * scalesOf(depth)[Math.floor(i / depth)]);
    return weightType === 'float16' ? Float64Array.from(weightsOf(depth), roundToHalf) : weightsOf(depth);
  };
  return {
    name: `linearCrossEntropy ${name}`,
    dtypes: ['float32'], // how elements are read is linear's, which the table tests at both
    call: (x) => {
      const { depth, rows, rowShape } = sizesOf(x.shape);
      const { context } = x;
      const values = weightType === 'int8' ? bytesOf(depth) : weightsOf(depth);
      const weight = context.tensor(values, [classes, depth], { dtype: weightType });
      const targets = soft
        ? context.tensor(labelsOf(rows), [...rowShape, classes])
        : context.tensor(targetsOf(rows), rowShape);
      const { loss, gradients, targetGradient, correct, logSumExp } = linearCrossEntropy(x, weight, targets, {
        ...options,
        bias,
        gradients: true,
        metrics: true,
        targetGradient: soft,
        ...(weightType === 'int8' ? { scales: scalesOf(depth) } : {}),
        ...(withWeights
          ? { classWeights: someOf(classes), sampleWeights: context.tensor(someOf(rows), rowShape) }
          : {}),
      });
      const { features, weight: byWeight, bias: byBias } = gradients!;
      return {
        loss,
        byFeatures: features!,
        ...(byWeight ? { byWeight: byWeight as Tensor } : {}),
        byBias: byBias!,
        correct: correct!,
        logSumExp: logSumExp!,
        ...(soft ? { targetGradient: targetGradient! } : {}),
      };
    },
    reference: (x, shape) => {
      const { depth, rows } = sizesOf(shape);
      const { byWeight, targetGradient, ...rest } = linearCrossEntropyOf(
        x,
        rows,
        { depth, weight: weightOf(depth), bias },
        {
          ...options,
          ...(soft ? { labels: labelsOf(rows) } : { targets: targetsOf(rows) }),
          ...(withWeights ? { classWeights: someOf(classes), sampleWeights: someOf(rows) } : {}),
        },
      );
      return { ...rest, ...(weightType === 'int8' ? {} : { byWeight }), ...(soft ? { targetGradient } : {}) };
    },
    tolerances: { loss: sums, byFeatures: sums, byWeight: sums, byBias: sums, targetGradient: sums, logSumExp: sums },
  };
}

const transforms = { labelSmoothing: 0.125, zLoss: 0.01, softcap: 5, temperature: 0.75 };

const topKEntry = (k: number, activation: 'softmax' | 'sigmoid' | 'none'): Entry => ({
  name: `linearTopK of ${k}, ${activation}`,
  dtypes: ['float32'], // how elements are read is linear's, which the table tests at both
  call: (x) => {
    const { depth } = sizesOf(x.shape);
    const weight = x.context.tensor(weightsOf(depth), [classes, depth]);
    return { ...linearTopK(x, weight, k, { bias, activation, temperature: 1.5 }) };
  },
  reference: (x, shape) => {
    const { depth, rows } = sizesOf(shape);
    return linearTopKOf(x, rows, { depth, weight: weightsOf(depth), bias }, k, activation, 1.5);
  },
  tolerances: { values: sums },
});

export const linearEntries: readonly Entry[] = [
  entry('sum of indices, every option', 'float32', false, { ...transforms, reduction: 'sum' }, true),
  entry(
    'none of soft labels, every option, float16 weight',
    'float16',
    true,
    { ...transforms, reduction: 'none' },
    true,
  ),
  entry('mean, int8 weight', 'int8', false, { temperature: 2 }, true),
  topKEntry(9, 'softmax'), // past a batch of eight
];
