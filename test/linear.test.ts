// The linear head whose logits are never stored: what the table (linear-entries.ts) does not reach. Tiles at their edges, blocks of
// weights, masked classes, rows that are not finite, the workspace, and the same bits twice.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Context,
  createContext,
  crossEntropy,
  infoNCE,
  type LinearCrossEntropyOptions,
  linear,
  linearCrossEntropy,
  linearTopK,
  quantizeRows,
  type Tensor,
} from '../src/index.ts';
import { expectClose, expectCloseByRow } from './support/close.ts';
import type { Options } from './support/cross-entropy-reference.ts';
import { limitedDevice } from './support/device.ts';
import { linearCrossEntropyOf, linearTopKOf, logitsOf } from './support/linear-reference.ts';
import { normal } from './support/random.ts';

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: masked } = Number;
const [rows, depth, classes] = [9, 6, 23];
const features = normal(rows * depth, { seed: 1 });
const weight = normal(classes * depth, { seed: 2 });
const bias = normal(classes, { seed: 3 });
const targets = Int32Array.from({ length: rows }, (_, r) => (r === 4 ? -100 : (r * 5) % classes));

/** Runs the head with all gradients; numbers by result. */
async function run(
  context: Context,
  x: ArrayLike<number>,
  blocks: readonly ArrayLike<number>[],
  biases: ArrayLike<number>,
  of: ArrayLike<number>,
  options: LinearCrossEntropyOptions = {},
) {
  const tensors = blocks.map((w) => context.tensor(w as Float32Array, [w.length / depth, depth]));
  const soft = of.length !== rows;
  const { loss, gradients, targetGradient, correct, logSumExp } = linearCrossEntropy(
    context.tensor(x as Float32Array, [rows, depth]),
    tensors.length > 1 ? tensors : tensors[0],
    of.length === rows
      ? context.tensor(of as Int32Array, [rows], { dtype: 'int32' })
      : context.tensor(of as Float32Array, [rows, classes]),
    { bias: biases as Float32Array, gradients: true, metrics: true, targetGradient: soft, ...options },
  );
  const ofWeight = [gradients!.weight!].flat();
  const parts = await Promise.all(ofWeight.map((part) => part.data()));
  return {
    loss: await loss.data(),
    byFeatures: await gradients!.features!.data(),
    byWeight: Float32Array.from(parts.flatMap((part) => Array.from(part))),
    byBias: await gradients!.bias!.data(),
    byLabels: await targetGradient?.data(),
    correct: await correct!.data(),
    logSumExp: await logSumExp!.data(),
  };
}

type Results = Awaited<ReturnType<typeof run>>;

function holdAll(results: Results, expected: ReturnType<typeof linearCrossEntropyOf>) {
  expectClose(results.loss, expected.loss, { relative: 4e-6, absolute: 2e-6 }, 'loss');
  expectClose(results.logSumExp, expected.logSumExp, { relative: 4e-6, absolute: 2e-6 }, 'logSumExp');
  expectClose(results.correct, expected.correct, {}, 'correct');
  for (const name of ['byFeatures', 'byWeight', 'byBias'] as const)
    expectCloseByRow(results[name], expected[name], expected[name].length, 5e-6, name);
  if (results.byLabels) expectCloseByRow(results.byLabels, expected.targetGradient, classes, 5e-6, 'byLabels');
}

const head = { depth, weight, bias };
const labels = normal(rows * classes, { seed: 8 }).map((v) => Math.max(0, v));
const everything = { labelSmoothing: 0.1, zLoss: 0.02, softcap: 4, temperature: 0.8 };

/** Numbers from a short period, so that 50 MB of them are made in no time; the period is no divisor of a row. */
function repeated(size: number, period = 100_003): Float32Array {
  const short = normal(period, { seed: 5 });
  return Float32Array.from({ length: size }, (_, i) => short[i % period]);
}

/** Tiles of 4 rows by 4 classes, of 8 by 8, and one that holds all. */
const limits = { 'tiles of 4 rows': 512, 'tiles of 8 rows': 1024, 'one tile': 2 ** 20 };

describe.each(Object.entries(limits))('%s', (_, most) => {
  let device: GPUDevice;
  let context: Context;
  beforeAll(async () => {
    device = await limitedDevice({ maxStorageBufferBindingSize: most });
    context = await createContext({ backend: 'webgpu', device });
  });
  afterAll(() => {
    context.dispose();
    device.destroy();
  });

  it('joins what the tiles give: indices', async () => {
    holdAll(
      await run(context, features, [weight], bias, targets),
      linearCrossEntropyOf(features, rows, head, { targets }),
    );
  });

  it('every option, soft labels', async () => {
    const options = { ...everything, reduction: 'sum' } as const;
    const results = await run(context, features, [weight], bias, labels, options);
    holdAll(results, linearCrossEntropyOf(features, rows, head, { ...options, labels }));
  });

  it('a masked tile, and the maximum in each tile in turn', async () => {
    for (let peak = 0; peak < classes; peak += 3) {
      const own = bias.map((v, c) => (c === peak ? 60 : c >= 4 && c < 16 && c !== peak ? masked : v));
      const of = targets.map((t) => (t >= 4 && t < 16 ? peak : t));
      const results = await run(context, features, [weight], own, of, { reduction: 'sum' });
      holdAll(results, linearCrossEntropyOf(features, rows, { ...head, bias: own }, { targets: of, reduction: 'sum' }));
    }
  });

  it('the best of all tiles: more than a batch, ties, masked classes', async () => {
    const integers = (values: Float32Array) => values.map(Math.round); // so that logits are exact, and often tie
    const [x, w, b] = [integers(features), integers(weight), integers(bias).map((v, c) => (c % 9 === 5 ? masked : v))];
    const [tx, tw] = [context.tensor(x, [rows, depth]), context.tensor(w, [classes, depth])];
    for (const k of [1, 8, 9, most < 1000 ? 15 : classes]) {
      const { values, indices } = linearTopK(tx, tw, k, { bias: b, activation: 'none' });
      const expected = linearTopKOf(x, rows, { depth, weight: w, bias: b }, k, 'none');
      expectClose(await indices.data(), expected.indices, {}, `indices of ${k}`);
      expectClose(await values.data(), expected.values, {}, `values of ${k}`);
      const scores = linearTopK(tx, tw, k, { bias: b, temperature: 0.5 });
      const wanted = linearTopKOf(x, rows, { depth, weight: w, bias: b }, k, 'softmax', 0.5);
      expectClose(await scores.values.data(), wanted.values, { relative: 4e-6, absolute: 1e-38 }, `scores of ${k}`);
    }
  });

  it('float16: gradients are summed as floats, and narrowed once', async () => {
    const half = (values: Float32Array, shape: number[]) =>
      context.tensor(
        values.map((v) => Math.round(v * 64) / 64),
        shape,
        { dtype: 'float16' },
      );
    const [x, w, b] = [half(features, [rows, depth]), half(weight, [classes, depth]), half(bias, [classes])];
    const stored = { depth, weight: await w.data(), bias: await b.data() };
    const { gradients } = linearCrossEntropy(x, w, targets, { bias: b, gradients: true, reduction: 'sum' });
    const expected = linearCrossEntropyOf(await x.data(), rows, stored, { targets, reduction: 'sum' });
    for (const [tensor, wanted] of [
      [gradients!.features!, expected.byFeatures],
      [gradients!.weight as Tensor, expected.byWeight],
      [gradients!.bias!, expected.byBias],
    ] as const) {
      expect(tensor.dtype).toBe('float16');
      expectClose(await tensor.data(), wanted, { relative: 2 ** -10, absolute: 4e-6 });
    }
  });

  it('float16: the best scores are narrowed too, also where rows end inside a word', async () => {
    const x = context.tensor(features, [rows, depth], { dtype: 'float16' });
    const w = context.tensor(weight, [classes, depth]);
    const head = { depth, weight, bias };
    for (const [k, activation] of [
      [3, 'softmax'],
      [4, 'none'],
    ] as const) {
      const { values, indices } = linearTopK(x, w, k, { bias, activation });
      const expected = linearTopKOf(await x.data(), rows, head, k, activation);
      expect([values.dtype, indices.dtype]).toEqual(['float16', 'int32']);
      expectClose(await indices.data(), expected.indices, {}, `indices of ${k}`);
      expectClose(await values.data(), expected.values, { relative: 2 ** -10, absolute: 4e-6 }, `values of ${k}`);
    }
  });
});

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  it('gives what linear and crossEntropy give', async () => {
    const [x, w] = [context.tensor(features, [rows, depth]), context.tensor(weight, [classes, depth])];
    const whole = crossEntropy(linear(x, w, { bias }), targets, { reduction: 'none', labelSmoothing: 0.1 });
    const fused = linearCrossEntropy(x, w, targets, { bias, reduction: 'none', labelSmoothing: 0.1 });
    expectClose(await fused.loss.data(), await whole.loss.data(), { relative: 1e-6 });
    expect(fused.gradients).toBeUndefined();
  });

  it('gives the derivative by soft labels that crossEntropy of the logits gives, with or without gradients', async () => {
    const x = features.slice();
    x[2 * depth] = nan;
    const own = bias.map((v, c) => (c % 9 === 5 ? masked : v));
    const sampleWeights = Float32Array.from({ length: rows }, (_, r) => r % 4);
    const classWeights = Float32Array.from({ length: classes }, (_, c) => c % 3);
    const options = { ...everything, targetGradient: true, sampleWeights, classWeights };
    const [tx, tw] = [context.tensor(x, [rows, depth]), context.tensor(weight, [classes, depth])];
    const calls = [
      ['float32', undefined],
      ['float16', ['bias']],
    ] as const;
    for (const [dtype, gradients] of calls) {
      const q = context.tensor(labels, [rows, classes], { dtype });
      const whole = crossEntropy(linear(tx, tw, { bias: own }), q, options).targetGradient!;
      const fused = linearCrossEntropy(tx, tw, q, { ...options, bias: own, gradients });
      expect(fused.gradients === undefined).toBe(gradients === undefined);
      expect([fused.targetGradient!.dtype, fused.targetGradient!.shape]).toEqual([dtype, [rows, classes]]);
      const units = dtype === 'float16' ? 2 ** -10 : 4e-6;
      expectClose(await fused.targetGradient!.data(), await whole.data(), { relative: units, absolute: 1e-6 });
      const found = await whole.data();
      expect(found[2 * classes]).toBeNaN(); // its features hold one
      expect(found[classes + 14]).toBe(inf); // masked
      expect(found.subarray(0, classes)).toEqual(new Float32Array(classes)); // weighs 0
    }
  });

  it('takes the weight in blocks of rows, and gives its gradient in the same', async () => {
    const cut = 5 * depth;
    const blocks = [weight.subarray(0, cut), weight.subarray(cut, cut + depth), weight.subarray(cut + depth)];
    const [one, three] = [
      await run(context, features, [weight], bias, targets),
      await run(context, features, blocks, bias, targets),
    ];
    holdAll(three, linearCrossEntropyOf(features, rows, head, { targets }));
    expectClose(three.byWeight, one.byWeight, { absolute: 1e-7 });
    const x = context.tensor(features, [rows, depth]);
    const tensors = blocks.map((w) => context.tensor(w, [w.length / depth, depth]));
    expectClose(await linear(x, tensors).data(), await linear(x, context.tensor(weight, [classes, depth])).data(), {
      absolute: 1e-6,
    });
  });

  it('a masked target costs infinitely much, and its slope is -1', async () => {
    const own = bias.map((v, c) => (c % 3 === 0 ? masked : v));
    const results = await run(context, features, [weight], own, targets, { reduction: 'none' });
    const expected = linearCrossEntropyOf(features, rows, { ...head, bias: own }, { targets, reduction: 'none' });
    expect(expected.loss).toContain(inf);
    holdAll(results, expected);
    const smooth = await run(context, features, [weight], own, targets, { reduction: 'none', labelSmoothing: 0.1 });
    expect(Array.from(smooth.loss)).toEqual(Array.from(targets, (t) => (t === -100 ? 0 : inf)));
  });

  it('NaN and infinities make their row NaN, and of ignored rows reach nothing', async () => {
    for (const bad of [nan, inf, masked, 3e38]) {
      const x = features.slice();
      x[2 * depth + 1] = bad;
      x[4 * depth] = bad; // the ignored row
      const w = bad === 3e38 ? weight.map((v) => v * 16) : weight;
      const results = await run(context, x, [w], bias, targets, { reduction: 'none' });
      for (let r = 0; r < rows; r++) {
        expect(Number.isNaN(results.loss[r]), `loss ${r} with ${bad}`).toBe(r === 2);
        const own = results.byFeatures.subarray(r * depth, (r + 1) * depth);
        expect(own.every((v) => Number.isNaN(v) === (r === 2))).toBe(true);
      }
      expect(results.byFeatures.subarray(4 * depth, 5 * depth)).toEqual(new Float32Array(depth));
      const without = targets.map((t, r) => (r === 2 ? -100 : t));
      const rest = await run(context, x, [w], bias, without);
      expect(rest.byWeight.every(Number.isFinite)).toBe(true);
      expect(rest.byBias.every(Number.isFinite)).toBe(true);
    }
    const w = weight.slice();
    w[7 * depth + 2] = masked;
    const { loss } = await run(context, features, [w], bias, targets, { reduction: 'none' });
    expect(Array.from(loss, Number.isNaN)).toEqual(Array.from(targets, (t) => t !== -100));
  });

  it('confident rows keep their digits', async () => {
    const own = bias.map((_, c) => (c === 3 ? 40 : 0));
    const x = new Float32Array(rows * depth);
    const results = await run(context, x, [weight], own, new Int32Array(rows).fill(3), { reduction: 'none' });
    const rest = (classes - 1) * Math.exp(-40);
    expectClose(results.loss, new Float64Array(rows).fill(rest), { relative: 2e-6 });
    expectClose([results.byBias[3]], [-rows * rest], { relative: 3e-6 });
  });

  it('targets that are no class: NaN in a tensor, refused in an array and with validate', async () => {
    const bad = targets.map((t, r) => (r === 3 ? classes : t));
    const { loss, correct } = await run(context, features, [weight], bias, bad, { reduction: 'none' });
    expect(Array.from(loss, Number.isNaN)).toEqual(Array.from(bad, (_, r) => r === 3));
    expect(correct[3]).toBe(0);
    const [x, w] = [context.tensor(features, [rows, depth]), context.tensor(weight, [classes, depth])];
    const message = `linearCrossEntropy: "targets" must be classes from 0 to 22, or -100 to be ignored, got 23 in row 3`;
    expect(() => linearCrossEntropy(x, w, bad)).toThrow(message);
    const checked = async () => linearCrossEntropy(x, w, context.tensor(bad), { validate: true }).loss.data();
    await expect(checked()).rejects.toThrow(message);
  });

  it('no rows, one class, no features', async () => {
    const [none, w] = [context.tensor([], [0, depth]), context.tensor(weight, [classes, depth])];
    const empty = linearCrossEntropy(none, w, [], { bias, gradients: true });
    expect(await empty.loss.array()).toBeNaN();
    expect(await (empty.gradients!.weight as Tensor).data()).toEqual(new Float32Array(classes * depth));
    expect(await empty.gradients!.bias!.data()).toEqual(new Float32Array(classes));
    const one = linearCrossEntropy(
      context.tensor(features, [rows, depth]),
      context.tensor(weight.subarray(0, depth), [1, depth]),
      new Int32Array(rows),
      { gradients: ['weight'] },
    );
    expect(await one.loss.array()).toBe(0);
    expect(Object.keys(one.gradients!)).toEqual(['weight']);
    expect(Array.from(await (one.gradients!.weight as Tensor).data(), Math.abs)).toEqual(new Array(depth).fill(0));
    const bare = linearCrossEntropy(context.tensor([], [2, 0]), context.tensor([], [3, 0]), [0, 1], {
      bias: [1, 1, 1],
      gradients: true,
    });
    expect(await bare.loss.array()).toBeCloseTo(Math.log(3), 6);
    expect((await bare.gradients!.features!.data()).length).toBe(0);
  });

  it('the best of rows that are not finite', async () => {
    for (const activation of ['softmax', 'sigmoid', 'none'] as const) {
      const x = features.slice();
      x[2 * depth] = nan;
      x[3 * depth] = inf;
      const own = bias.map((v, c) => (c === 6 ? masked : v));
      const w = context.tensor(weight, [classes, depth]);
      const { values, indices } = linearTopK(context.tensor(x, [rows, depth]), w, 4, { bias: own, activation });
      const expected = linearTopKOf(x, rows, { ...head, bias: own }, 4, activation);
      expectClose(await indices.data(), expected.indices, {}, activation);
      expectClose(await values.data(), expected.values, { relative: 4e-6, absolute: 2e-6 }, activation);
    }
  });

  it('int8: rows are rounded to 127 steps, and three operations take them', async () => {
    const w = weight.slice();
    w.fill(0, 2 * depth, 3 * depth);
    w[5 * depth] = nan;
    w[6 * depth] = inf;
    const half = context.tensor(w, [classes, depth], { dtype: 'float16' });
    for (const tensor of [context.tensor(w, [classes, depth]), half]) {
      const stored = await tensor.data();
      const { weight: bytes, scales } = quantizeRows(tensor);
      const [q, s] = [await bytes.data(), await scales.data()];
      expect([bytes.dtype, q.constructor]).toEqual(['int8', Int8Array]);
      for (let c = 0; c < classes; c++) {
        const row = Array.from(stored.subarray(c * depth, (c + 1) * depth), Math.abs);
        const most = Math.max(...row); // NaN where there is one
        expectClose([s[c]], [Number.isFinite(most) ? most / 127 : nan], { relative: 2e-7 });
        for (let i = c * depth; i < (c + 1) * depth; i++) {
          if (Number.isFinite(most)) expect(Math.abs(q[i] * s[c] - stored[i])).toBeLessThanOrEqual(0.5001 * s[c]);
        }
      }
    }
    const { weight: bytes, scales } = quantizeRows(context.tensor(weight, [classes, depth]));
    const [q, s] = [await bytes.data(), await scales.data()];
    const float = Float64Array.from(q, (v, i) => v * s[Math.floor(i / depth)]);
    const x = context.tensor(features, [rows, depth]);
    const logits = await linear(x, bytes, { scales, bias }).data();
    expectClose(logits, logitsOf(features, rows, { depth, weight: float, bias }), { relative: 1e-6, absolute: 2e-6 });
    const best = linearTopK(x, bytes, 3, { scales, bias, activation: 'none' });
    expectClose(
      await best.indices.data(),
      linearTopKOf(features, rows, { depth, weight: float, bias }, 3, 'none').indices,
    );
  });

  it('infoNCE: queries and keys of one tensor, and no rows', async () => {
    const x = context.tensor(features, [rows, depth]);
    const { loss, gradients } = infoNCE(x, x, { temperature: 1, gradient: true, reduction: 'sum' });
    const diagonal = Int32Array.from({ length: rows }, (_, r) => r);
    const options: Options = { targets: diagonal, reduction: 'sum' };
    const expected = linearCrossEntropyOf(
      features,
      rows,
      { depth, weight: features, bias: new Float32Array(rows) },
      options,
    );
    expectClose(await loss.data(), expected.loss, { relative: 2e-6 });
    expectCloseByRow(await gradients!.queries.data(), expected.byFeatures, rows * depth, 3e-6);
    expectCloseByRow(await gradients!.keys.data(), expected.byWeight, rows * depth, 3e-6);
    const none = context.tensor([], [0, 4]);
    expect(await infoNCE(none, none, { gradient: true }).loss.array()).toBeNaN();
  });
});

it('the gradients are those of the loss', async () => {
  // Central differences of the float64 reference, which the kernels are held to above.
  const options: Options = { ...everything, targets, reduction: 'mean' };
  const { byFeatures, byWeight, byBias } = linearCrossEntropyOf(features, rows, head, options);
  const objective = (x: ArrayLike<number>, w: ArrayLike<number>, b: ArrayLike<number>) =>
    linearCrossEntropyOf(x, rows, { depth, weight: w, bias: b }, options).loss[0];
  const moved = (values: Float32Array, i: number, by: number) =>
    Float64Array.from(values, (v, j) => (j === i ? v + by : v));
  const step = 1e-5;
  for (const i of [0, 7, 31]) {
    const slope = (at: (by: number) => number) => (at(step) - at(-step)) / (2 * step);
    expect(byFeatures[i]).toBeCloseTo(
      slope((by) => objective(moved(features, i, by), weight, bias)),
      8,
    );
    expect(byWeight[i]).toBeCloseTo(
      slope((by) => objective(features, moved(weight, i, by), bias)),
      8,
    );
    expect(byBias[i % classes]).toBeCloseTo(
      slope((by) => objective(features, weight, moved(bias, i % classes, by))),
      8,
    );
  }
});

describe('the workspace', () => {
  it('is less than a quarter of what the logits would take, and the same call gives the same bits', async () => {
    const context = await createContext({ backend: 'webgpu' });
    const [n, d, c] = [64, 64, 200_000];
    const x = context.tensor(normal(n * d, { seed: 4 }), [n, d]);
    const w = context.tensor(repeated(c * d), [c, d]);
    const of = context.tensor(Int32Array.from({ length: n }, (_, r) => (r * 7919) % c));
    await context.finished();
    const before = context.memory().bytesAllocated;
    const { loss } = linearCrossEntropy(x, w, of, { gradients: true });
    await context.finished();
    const outputs = 4 * (d * (n + c) + 1);
    expect(context.memory().bytesAllocated - before - outputs).toBeLessThan(n * c);
    expect(await loss.array()).toBeGreaterThan(0);
    const some = context.tensor(repeated(20_000 * d), [20_000, d]);
    const few = context.tensor(Int32Array.from({ length: n }, (_, r) => r * 300));
    const call = () => linearCrossEntropy(x, some, few, { gradients: ['features'] }).gradients!.features!.data();
    expect(await call()).toEqual(await call());
    context.dispose();
  });
});
