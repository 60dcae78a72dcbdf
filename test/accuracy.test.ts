// How exact the losses and probabilities are, against float64: the distributions and class counts on which plain kernels lose
// digits. The tolerances are the project's promise (docs/ARCHITECTURE.md), not what happens to pass.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Context, type ContextOptions, createContext, crossEntropy, logSoftmax, softmax } from '../src/index.ts';
import { expectClose, expectCloseByRow } from './support/close.ts';
import { once } from './support/once.ts';
import { accuracySizes, type Distribution, distributions, makeRows } from './support/random.ts';
import * as reference from './support/reference.ts';

const lanes: ContextOptions = { backend: 'webgpu', plan: () => ({ reduce: 'barrier', lanes: 64, rows: 1 }) };
const contexts: [string, ContextOptions][] = [
  ['cpu', { backend: 'cpu' }],
  ['cpu, plain', { backend: 'cpu', simd: false }],
  ['webgpu', { backend: 'webgpu' }],
  ['webgpu, 64 lanes a row', lanes],
];

/**
 * Loss and gradient of one row and soft labels, in float64 and in one pass; of the largest logit by the sum of the others, so that a
 * confident row keeps its digits.
 */
function softRow(x: Float32Array, a: Float32Array) {
  const sum = (f: (c: number) => number) => {
    let total = 0;
    for (let c = 0; c < x.length; c++) total += f(c);
    return total;
  };
  const top = x.reduce((best, v, c) => (v > x[best] ? c : best), 0);
  const e = Float64Array.from(x, (v) => Math.exp(v - x[top]));
  const others = sum((c) => (c === top ? 0 : e[c]));
  const mass = sum((c) => a[c]);
  const gradient = e.map((v, c) => (mass * v) / (1 + others) - a[c]);
  gradient[top] = sum((c) => (c === top ? 0 : a[c])) - (mass * others) / (1 + others);
  return { loss: sum((c) => a[c] * (x[top] - x[c] + Math.log1p(others))), gradient };
}

/** Logits, targets and labels of so many rows, and what is to be made of them. */
function expectationOf(distribution: Distribution, rows: number, classes: number) {
  const { logits, targets } = makeRows(distribution, rows, classes, classes);
  const shape = [rows, classes];
  // Most of the mass on the target, the rest on all classes: one large term in the sums beside many small ones.
  const share = Math.fround(0.1 / classes);
  const labels = Float32Array.from(
    logits,
    (_, i) => share + (i % classes === targets[Math.floor(i / classes)] ? 0.875 : 0),
  );
  const rowOf = (values: Float32Array, r: number) => values.subarray(r * classes, (r + 1) * classes);
  return {
    logits,
    targets,
    labels,
    hard: reference.crossEntropy(logits, shape, targets, { reduction: 'none' }),
    soft: Array.from({ length: rows }, (_, r) => softRow(rowOf(logits, r), rowOf(labels, r))),
    softmax: reference.softmax(logits, shape),
    logSoftmax: reference.logSoftmax(logits, shape),
  };
}
const expectedOnce = once<ReturnType<typeof expectationOf>>();

describe.each(contexts)('%s', (_, options) => {
  let context: Context;
  const slack = options.backend === 'cpu' ? 1 : 2;
  beforeAll(async () => {
    context = await createContext(options);
  });
  afterAll(() => context.dispose());

  describe.each(accuracySizes)('%i x %i', (rows, classes) => {
    it.each(Object.keys(distributions) as Distribution[])('%s', async (distribution) => {
      const shape = [rows, classes];
      const key = `${distribution} ${shape}`;
      const { logits, targets, labels, ...wanted } = expectedOnce(key, () =>
        expectationOf(distribution, rows, classes),
      );
      const x = context.tensor(logits, shape);
      const { loss, gradient } = crossEntropy(x, targets, { gradient: true, reduction: 'none' });
      expectClose(await loss.data(), wanted.hard.loss, { relative: 2e-6 }, 'loss');
      const actual = await gradient!.data();
      expectCloseByRow(actual, wanted.hard.gradient, classes, 5e-6, 'gradient');
      const ofTargets = (values: ArrayLike<number>) => Array.from(targets, (target, r) => values[r * classes + target]);
      expectClose(ofTargets(actual), ofTargets(wanted.hard.gradient), { relative: 2e-6 }, "the target's gradient");

      const p = wanted.softmax;
      const units = p.map((v) => slack * (4 + Math.abs(Math.log(v)) / 2 + Math.log2(classes) / 2));
      const got = await softmax(x).data();
      // In units of 2^-23 of each probability; a result below the least normal float may be flushed.
      const ratio = p.map((v, i) => (v < 2 ** -125 ? 0 : (got[i] - v) / (v * 2 ** -23 * units[i])));
      expectClose(ratio, new Float64Array(ratio.length), { absolute: 1 }, 'softmax, in allowed units');
      expectClose(await logSoftmax(x).data(), wanted.logSoftmax, { relative: 2e-6 }, 'logSoftmax');

      const soft = crossEntropy(x, context.tensor(labels, shape), { gradient: true, reduction: 'none' });
      const [losses, slopes] = [await soft.loss.data(), await soft.gradient!.data()];
      for (let r = 0; r < rows; r++) {
        const row = (values: Float32Array) => values.subarray(r * classes, (r + 1) * classes);
        expectClose([losses[r]], [wanted.soft[r].loss], { relative: 2e-6 }, 'loss of soft labels');
        expectCloseByRow(
          row(slopes as Float32Array),
          wanted.soft[r].gradient,
          classes,
          5e-6,
          'gradient of soft labels',
        );
      }
    });
  });
});
