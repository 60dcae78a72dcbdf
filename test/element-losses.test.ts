// Elementwise losses: combinations of options, sizes, accuracy. Plain values are held to PyTorch in golden-operations.test.ts, variants
// of the kernels in operations.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  binaryCrossEntropy,
  type Context,
  createContext,
  klDivLoss,
  meanSquaredError,
  sigmoidFocalLoss,
  type Tensor,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { limitedDevice } from './support/device.ts';
import { losses, ones } from './support/element-losses.ts';
import * as reference from './support/element-reference.ts';
import { normal, uniform } from './support/random.ts';

const any = (value: unknown) => value as never;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  describe('combinations', () => {
    const shape = [3, 5];
    const x = normal(15, { seed: 9 });
    const t = Float32Array.from({ length: 15 }, (_, i) => (i % 2 ? 1 : -1));
    const weights = Float32Array.from({ length: 15 }, (_, i) => 1 + (i % 4) / 2);

    it.each(Object.entries(losses))('%s: reductions, weights, upstream, gradientOut', async (fn, loss) => {
      const run = (options: object, input = context.tensor(x, shape)) =>
        loss(input, any(fn === 'sigmoidFocalLoss' || fn === 'klDivLoss' ? t.map(Math.abs) : t), any(options));
      const none = run({ reduction: 'none', weights, gradient: true });
      const [each, slopes] = [await none.loss.data(), await none.gradient!.data()];
      expect(none.loss.shape).toEqual(shape);
      const total = Array.from(each).reduce((a, b) => a + b, 0);
      for (const [reduction, by] of [
        ['sum', 1],
        ['mean', 15],
        ...(fn === 'klDivLoss' ? [['batchmean', 3] as const] : []),
      ] as const) {
        const found = run({ reduction, weights, upstream: 3, gradient: true });
        expect(found.loss.shape).toEqual([]);
        expectClose(await found.loss.data(), [total / by], { relative: 2e-6 });
        expectClose(
          await found.gradient!.data(),
          slopes.map((v) => (v * 3) / by),
          { relative: 1e-6 },
        );
      }
      const upstream = normal(15, { seed: 4 });
      const own = context.tensor(x, shape);
      const scaled = run({ reduction: 'none', weights, upstream, gradientOut: own }, own);
      expect(scaled.gradient).toBe(own);
      expect(await scaled.loss.data()).toEqual(each);
      expectClose(
        await own.data(),
        slopes.map((v, i) => v * upstream[i]),
        { relative: 1e-6 },
      );
      const alone = run({ reduction: 'none', weights });
      expect(alone.gradient).toBeUndefined();
      expect(await alone.loss.data()).toEqual(each);
    });

    it('the gradient over targets, and float16 over its own logits', async () => {
      const [logits, targets] = [context.tensor(x, shape), context.tensor(t.map(Math.abs), shape)];
      const expected = await binaryCrossEntropy(logits, targets, { gradient: true }).gradient!.data();
      expect(await binaryCrossEntropy(logits, targets, { gradientOut: targets }).gradient!.data()).toEqual(expected);
      const half = context.tensor(x, shape, { dtype: 'float16' });
      const apart = binaryCrossEntropy(half, t.map(Math.abs), { gradient: true, reduction: 'sum' }).gradient!;
      expect(apart.dtype).toBe('float16');
      const wanted = await apart.data();
      expect(
        await binaryCrossEntropy(half, t.map(Math.abs), { gradientOut: half, reduction: 'sum' }).gradient!.data(),
      ).toEqual(wanted);
    });
  });

  describe('sizes', () => {
    it.each(Object.entries(losses))('%s: scalars, and nothing', async (_, loss) => {
      const scalar = loss(context.tensor(0.5), any(1), any({ gradient: true }));
      expect([scalar.loss.shape, scalar.gradient!.shape]).toEqual([[], []]);
      const one = loss(context.tensor([0.5]), any([1]), any({ gradient: true, reduction: 'none' }));
      expect(await scalar.loss.data()).toEqual(await one.loss.data());
      expect(await scalar.gradient!.data()).toEqual(await one.gradient!.data());
      const empty = context.tensor([], [0, 3]);
      expect(await loss(empty, any([]), any({ gradient: true })).loss.array()).toBeNaN();
      expect(await loss(empty, any([]), any({ reduction: 'sum' })).loss.array()).toBe(0);
      const none = loss(empty, any([]), any({ reduction: 'none', weights: [1, 2, 3], gradient: true }));
      expect([none.loss.shape, (await none.gradient!.data()).length]).toEqual([[0, 3], 0]);
    });

    it('klDivLoss: batchmean divides by the first axis', async () => {
      const { loss } = klDivLoss(
        context.tensor([
          [-1, -1],
          [-2, -2],
          [-1, -1],
        ]),
        ones(6),
        { reduction: 'batchmean' },
      );
      expect(await loss.array()).toBeCloseTo(8 / 3, 6);
      expect(await klDivLoss(context.tensor(-2), 1, { reduction: 'batchmean' }).loss.array()).toBe(2);
      expect(await klDivLoss(context.tensor([], [0, 2]), [], { reduction: 'batchmean' }).loss.array()).toBeNaN();
    });

    it('three million elements: the mean keeps its digits', async () => {
      const size = 3_000_000;
      const next = uniform(7);
      const x = Float32Array.from({ length: size }, () => next() * 3 - 1);
      const sum = x.reduce((a, b) => a + b * b, 0);
      const { loss } = meanSquaredError(context.tensor(x), new Float32Array(size));
      expectClose(await loss.data(), [sum / size], { relative: 5e-7 });
    });
  });

  describe('accuracy', () => {
    const logits = Float32Array.from({ length: 400 }, (_, i) => (i % 2 ? 1 : -1) * 10 ** (-4 + (i * 5.93) / 400)); // to 85
    const targets = Float32Array.from(logits, (_, i) => (i >> 1) & 1);
    const held = async (
      found: { loss: Tensor; gradient?: Tensor },
      x: ArrayLike<number>,
      pair: (x: number, i: number) => reference.Pair,
      relative = 2e-6,
    ) => {
      const pairs = Array.from(x, pair);
      const flushed = { absolute: 2 ** -126 };
      expectClose(
        await found.loss.data(),
        pairs.map(({ loss }) => loss),
        { relative, ...flushed },
        'loss',
      );
      expectClose(
        await found.gradient!.data(),
        pairs.map(({ derivative }) => derivative),
        { relative: 5e-6, ...flushed },
        'gradient',
      );
    };
    const all = { reduction: 'none', gradient: true } as const;

    it('binaryCrossEntropy: confident logits, right and wrong', async () => {
      const found = binaryCrossEntropy(context.tensor(logits), targets, all);
      await held(found, logits, (x, i) => reference.binaryCrossEntropy(x, targets[i]));
    });

    it.each([0, 0.5, 2, 3.7, 10])('sigmoidFocalLoss, gamma %d', async (gamma) => {
      const moderate = logits.map((x) => x / 4); // else the power is below the least float
      const found = sigmoidFocalLoss(context.tensor(moderate), targets, { ...all, gamma });
      await held(found, moderate, (x, i) => reference.sigmoidFocalLoss(x, targets[i], Math.fround(gamma)));
    });

    it('klDivLoss: targets near 0 and 1', async () => {
      const next = uniform(3);
      const t = Float32Array.from({ length: 400 }, (_, i) => (i % 2 ? 1 - 10 ** (-7 * next()) : 10 ** (-30 * next())));
      const x = Float32Array.from(t, (_, i) => -3 - (i % 5));
      await held(klDivLoss(context.tensor(x), t, all), x, (x, i) => reference.klDivLoss(x, t[i]), 3e-6);
      // log t alone
      const zeros = new Float32Array(400);
      await held(klDivLoss(context.tensor(zeros), t, all), zeros, (x, i) => reference.klDivLoss(x, t[i]));
    });

    it('klDivLoss, logTarget: exponentials of both signs', async () => {
      const t = Float32Array.from({ length: 400 }, (_, i) => (i - 200) / 2.5);
      const x = Float32Array.from(t, (v) => v - 1.5);
      const found = klDivLoss(context.tensor(x), t, { ...all, logTarget: true });
      await held(found, x, (x, i) => reference.klDivLoss(x, t[i], true), 5e-6);
    });
  });
});

describe('webgpu, on a device that binds 1 KiB at a time', () => {
  it('pieces know where in the input they lie', async () => {
    const [device, cpu] = [
      await limitedDevice({ maxStorageBufferBindingSize: 1024 }),
      await createContext({ backend: 'cpu' }),
    ];
    const context = await createContext({ device });
    const shape = [7, 13, 11];
    const x = normal(1001, { seed: 2 });
    const t = Float32Array.from(x, (_, i) => i % 2);
    const run = (context: Context, options: object) =>
      binaryCrossEntropy(context.tensor(x, shape), context.tensor(t, shape), {
        weights: Float32Array.from({ length: 11 }, (_, i) => 1 + i),
        posWeight: [[[1]], [[2]], [[3]], [[4]], [[5]], [[6]], [[7]]],
        reduction: 'none',
        gradient: true,
        ...options,
      });
    for (const options of [{}, { weights: normal(1001, { seed: 5 }) }]) {
      const [expected, found] = [run(cpu, options), run(context, options)];
      expectClose(await found.loss.data(), await expected.loss.data(), { relative: 2e-6 });
      expectClose(await found.gradient!.data(), await expected.gradient!.data(), { relative: 5e-6 });
    }
    context.dispose();
    cpu.dispose();
    device.destroy();
  });

  it('slices of a sum, more than one piece of them', async () => {
    const device = await limitedDevice({ maxStorageBufferBindingSize: 40_000 }); // two slices of 4,096
    const context = await createContext({ device });
    for (const size of [20_480, 20_000, 4097, 4096]) {
      // What is disposed of comes back from the pool, so that past the losses there are numbers of before.
      const tensors = [normal(size, { seed: 6 }), ones(size)].map((values) => context.tensor(values));
      const { loss } = meanSquaredError(tensors[0], tensors[1], { reduction: 'sum' });
      const sum = Array.from(await tensors[0].data()).reduce((a, b) => a + (b - 1) ** 2, 0);
      expectClose(await loss.data(), [sum], { relative: 1e-6 });
      for (const tensor of [...tensors, loss]) tensor.dispose();
    }
    context.dispose();
    device.destroy();
  });
});
