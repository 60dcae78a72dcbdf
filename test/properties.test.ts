// What holds for every input, on random ones: of probabilities, losses and gradients, on both backends.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext, crossEntropy, logSoftmax, softmax, type Tensor, topK } from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { limitedDevice } from './support/device.ts';
import { normal } from './support/random.ts';

const runs = { numRuns: 40, seed: 20 }; // the same inputs at each run, so that a failure can be looked at

/** Logits of up to 6 rows and 40 classes, of magnitudes that pages have. */
const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 6 }), classes: fc.integer({ min: 1, max: 40 }) })
  .chain(({ rows, classes }) =>
    fc
      .array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: rows * classes, maxLength: rows * classes })
      .map((values) => ({ rows, classes, values: Float32Array.from(values) })),
  );

const sums = (values: ArrayLike<number>, classes: number) =>
  Array.from({ length: values.length / classes }, (_, r) =>
    Array.from({ length: classes }, (_, c) => values[r * classes + c]).reduce((a, b) => a + b, 0),
  );

describe('rows cut into pieces', () => {
  it('give what they give in one', async () => {
    // 1 KiB a binding: a few rows a piece.
    const device = await limitedDevice({ maxStorageBufferBindingSize: 1024 });
    const [cut, whole] = [await createContext({ device }), await createContext({ backend: 'webgpu' })];
    const [rows, classes] = [301, 23];
    const values = normal(rows * classes, { sigma: 3, seed: 12 });
    const targets = Int32Array.from({ length: rows }, (_, r) => (r * 5) % classes);
    const of = async (context: Context) => {
      const x = context.tensor(values, [rows, classes]);
      const { loss, gradient } = crossEntropy(x, targets, { gradient: true, reduction: 'none' });
      return Promise.all([loss, gradient!, softmax(x), topK(x, 3).indices].map((tensor) => tensor.data()));
    };
    expect(await of(cut)).toEqual(await of(whole));
    for (const context of [cut, whole]) context.dispose();
    device.destroy();
  });
});

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  const data = async (tensor: Tensor) => {
    const values = await tensor.data();
    tensor.dispose();
    return values;
  };
  const holds = (
    name: string,
    property: (m: { rows: number; classes: number; values: Float32Array }) => Promise<void>,
  ) => it(name, () => fc.assert(fc.asyncProperty(matrices, property), runs));

  holds('probabilities sum to one', async ({ rows, classes, values }) => {
    const p = await data(softmax(context.tensor(values, [rows, classes])));
    expectClose(sums(p, classes), new Float64Array(rows).fill(1), { absolute: 1e-6 });
    expect(p.every((v) => v >= 0 && v <= 1)).toBe(true);
  });

  holds('adding a constant to a row changes nothing', async ({ rows, classes, values }) => {
    // Rounded to quarters, so that adding 64 is exact in float32.
    const exact = values.map((v) => Math.round(v * 4) / 4);
    const [a, b] = [exact, exact.map((v) => v + 64)].map((x) => logSoftmax(context.tensor(x, [rows, classes])));
    // The CPU's SIMD takes exponentials of the logits themselves, times a power of two, which moves the last places (2 units seen).
    if (context.backend === 'cpu') expectClose(await data(b), await data(a), { ulp: 4 });
    else expect(await data(b)).toEqual(await data(a));
  });

  holds('gradient rows of cross-entropy sum to zero', async ({ rows, classes, values }) => {
    const targets = Int32Array.from({ length: rows }, (_, r) => (r * 5) % classes);
    const { gradient } = crossEntropy(context.tensor(values, [rows, classes]), targets, {
      gradient: true,
      reduction: 'sum',
    });
    expectClose(sums(await data(gradient!), classes), new Float64Array(rows), { absolute: 1e-6 });
  });

  holds('permuting classes permutes results', async ({ rows, classes, values }) => {
    // Each row turned by one class: column c of the result is column c + 1 of what went in.
    const turn = (x: ArrayLike<number>) =>
      Float32Array.from(x, (_, i) => x[Math.floor(i / classes) * classes + ((i + 1) % classes)]);
    const [p, q] = [values, turn(values)].map((x) => softmax(context.tensor(x, [rows, classes])));
    expectClose(await data(q), turn(await data(p)), { relative: 1e-6, absolute: 1e-37 });
  });

  holds('rows are independent', async ({ rows, classes, values }) => {
    const whole = await data(softmax(context.tensor(values, [rows, classes])));
    const alone = await data(softmax(context.tensor(values.slice(0, classes), [1, classes])));
    expect(whole.slice(0, classes)).toEqual(alone);
  });

  holds('smoothing 0 equals none; a soft one-hot equals an index', async ({ rows, classes, values }) => {
    const targets = Int32Array.from({ length: rows }, (_, r) => (r * 7) % classes);
    const oneHot = Float32Array.from(values, (_, i) => Number(i % classes === targets[Math.floor(i / classes)]));
    const x = context.tensor(values, [rows, classes]);
    const of = (t: Int32Array | Tensor, options = {}) =>
      crossEntropy(x, t, { gradient: true, reduction: 'none', ...options });
    const [plain, smoothed, soft] = [
      of(targets),
      of(targets, { labelSmoothing: 0 }),
      of(context.tensor(oneHot, [rows, classes])),
    ];
    expect(await data(smoothed.loss)).toEqual(await data(plain.loss));
    // On the CPU, indices go through WebAssembly and soft labels through plain loops.
    expectClose(await data(soft.loss), await data(of(targets).loss), { absolute: 1e-12, relative: 5e-7 });
    expectClose(await data(soft.gradient!), await data(plain.gradient!), { absolute: 1e-7, relative: 1e-6 });
  });

  holds('topK of all classes is a sort, and its indices say where from', async ({ rows, classes, values }) => {
    const { values: best, indices } = topK(context.tensor(values, [rows, classes]), classes);
    const [sorted, from] = [await data(best), await data(indices)];
    for (let i = 0; i < sorted.length; i++) {
      const start = Math.floor(i / classes) * classes;
      expect(sorted[i]).toBe(values[start + from[i]]);
      if (i > start) expect(sorted[i]).toBeLessThanOrEqual(sorted[i - 1]);
    }
  });
});
