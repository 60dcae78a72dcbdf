// Losses of several inputs: what they refuse, combinations of options, rows that are not finite, accuracy, devices with few bindings.
// Plain values are held to PyTorch in golden-operations.test.ts, variants of the kernels in operations.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Context,
  contrastiveLoss,
  cosineEmbeddingLoss,
  createContext,
  marginRankingLoss,
  ShapeError,
  type Tensor,
  tripletMarginLoss,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { gpuVariants } from './support/contexts.ts';
import { limitedDevice } from './support/device.ts';
import * as reference from './support/element-reference.ts';
import { errorOf } from './support/errors.ts';
import { normal } from './support/random.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const any = (value: unknown) => value as never;

interface Result {
  loss: Tensor;
  gradients?: Record<string, Tensor>;
}

interface Loss {
  names: string[];
  /** With targets of as many rows as the inputs have. */
  call(inputs: readonly Tensor[], options?: object): Result;
  row(inputs: number[][], r: number): reference.Row;
}

const signs = (rows: number) => Array.from({ length: rows }, (_, r) => (r % 2 ? 1 : -1));
const similar = (rows: number) => Array.from({ length: rows }, (_, r) => r % 2);
/** Of what may be no tensor. */
const rowsOf = ({ shape = [0] }: Tensor) => shape.slice(0, -1).reduce((a, b) => a * b, 1);

const losses: Record<string, Loss> = {
  tripletMarginLoss: {
    names: ['anchor', 'positive', 'negative'],
    call: ([a, p, n], options = {}) => tripletMarginLoss(a, p, n, { swap: true, ...options }),
    row: (inputs) => reference.tripletMarginLoss(inputs, { swap: true }),
  },
  contrastiveLoss: {
    names: ['x1', 'x2'],
    call: ([a, b], options = {}) => contrastiveLoss(a, b, similar(rowsOf(a)), { margin: 4, ...options }),
    row: (inputs, r) => reference.contrastiveLoss(inputs, r % 2, 4),
  },
  cosineEmbeddingLoss: {
    names: ['x1', 'x2'],
    call: ([a, b], options = {}) => cosineEmbeddingLoss(a, b, signs(rowsOf(a)), { margin: -0.5, ...options }),
    row: (inputs, r) => reference.cosineEmbeddingLoss(inputs, r % 2 ? 1 : -1, -0.5),
  },
};

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  const make = (count: number, shape: number[], seed = 1) =>
    Array.from({ length: count }, (_, n) =>
      context.tensor(
        normal(
          shape.reduce((a, b) => a * b, 1),
          { seed: seed + n },
        ),
        shape,
      ),
    );

  describe('refuse, before anything is allocated', () => {
    const refuses = async (call: () => unknown, kind: new (message: string) => Error, message: string) => {
      const before = context.memory();
      const error = (await errorOf(call)) as Error;
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toBe(message);
      expect(context.memory()).toEqual(before);
    };

    it.each(Object.entries(losses))('%s', async (fn, { names, call }) => {
      const inputs = make(names.length, [2, 3]);
      const [, wide] = make(2, [2, 4]);
      const integers = context.tensor(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
      const [first, second] = names;
      await refuses(() => call([any([1])]), TypeError, `${fn}: "${first}" must be a Tensor, got [1]`);
      await refuses(
        () => call([inputs[0], any(undefined), inputs[1]]),
        TypeError,
        `${fn}: "${second}" must be a Tensor, got undefined`,
      );
      await refuses(
        () => call([inputs[0], wide, inputs[1]]),
        ShapeError,
        `${fn}: "${second}" must have shape [2, 3], as "${first}" has, got [2, 4]`,
      );
      await refuses(
        () => call([inputs[0], integers, inputs[1]]),
        TypeError,
        `${fn}: "${second}" must be float32 or float16, got int32`,
      );
      const scalar = context.tensor(1);
      await refuses(() => call([scalar, scalar, scalar]), RangeError, `${fn}: needs an axis of features, got a scalar`);
      const refusesOption = (options: object, kind: new (message: string) => Error, message: string) =>
        refuses(() => call(inputs, options), kind, `${fn}: ${message}`);
      await refusesOption(
        { reduction: 'batchmean' },
        TypeError,
        '"reduction" must be "none", "mean" or "sum", got "batchmean"',
      );
      await refusesOption({ gradient: 'all' }, TypeError, '"gradient" must be true or false, got "all"');
      await refusesOption(
        { sampleWeights: [1] },
        ShapeError,
        '"sampleWeights" must have shape [2], one a row, got [1]',
      );
      await refusesOption({ upstream: [1, 2] }, ShapeError, '"upstream" must have shape [], as the loss has, got [2]');
      for (const margin of [nan, inf])
        await refusesOption({ margin }, RangeError, `"margin" must be a finite number, got ${margin}`);
      await refusesOption({ margin: null }, TypeError, '"margin" must be a finite number, got null');
      const error = (await errorOf(() => call(inputs, { gradientOut: inputs[0] }))) as Error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain(`${fn}: unknown option "gradientOut"; it takes reduction, gradient`);
    });

    it('options and targets of their own', async () => {
      const [a, b, c] = make(3, [2, 3]);
      for (const p of [0, -1, nan, inf])
        await refuses(
          () => tripletMarginLoss(a, b, c, { p }),
          RangeError,
          `tripletMarginLoss: "p" must be a positive finite number, got ${p}`,
        );
      for (const eps of [-1e-6, nan, inf])
        await refuses(
          () => tripletMarginLoss(a, b, c, { eps }),
          RangeError,
          `tripletMarginLoss: "eps" must be a finite number from 0, got ${eps}`,
        );
      await refuses(
        () => tripletMarginLoss(a, b, c, { swap: any(1) }),
        TypeError,
        'tripletMarginLoss: "swap" must be true or false, got 1',
      );
      await refuses(
        () => contrastiveLoss(a, b, [1, 2]),
        RangeError,
        'contrastiveLoss: "similar" must be 0 or 1, got 2 in row 1',
      );
      await refuses(
        () => contrastiveLoss(a, b, [0.5, 1]),
        TypeError,
        'contrastiveLoss: "similar" must hold integers of int32, got 0.5 at element 0',
      );
      await refuses(
        () => contrastiveLoss(a, b, [1]),
        ShapeError,
        'contrastiveLoss: "similar" must have shape [2], one a row, got [1]',
      );
      await refuses(
        () => cosineEmbeddingLoss(a, b, [1, 0]),
        RangeError,
        'cosineEmbeddingLoss: "targets" must be -1 or 1, got 0 in row 1',
      );
      await refuses(
        () => cosineEmbeddingLoss(a, b, any([1, 1, 1])),
        ShapeError,
        'cosineEmbeddingLoss: "targets" must have shape [2], one target a row, got [3]',
      );
      await refuses(
        () => marginRankingLoss(a, b, [1, 1, 1, 1, 1, -2]),
        RangeError,
        'marginRankingLoss: "targets" must be -1 or 1, got -2 at element 5',
      );
      await refuses(
        () => marginRankingLoss(a, b, [1, 1]),
        ShapeError,
        'marginRankingLoss: "targets" must have shape [2, 3], one target a row, got [2]',
      );
      await refuses(
        () => marginRankingLoss(a, b, new Float32Array(6).fill(1), { margin: nan }),
        RangeError,
        'marginRankingLoss: "margin" must be a finite number, got NaN',
      );
      await refuses(
        () => cosineEmbeddingLoss(a, b, [1, 1], { validate: any('yes') }),
        TypeError,
        'cosineEmbeddingLoss: "validate" must be true or false, got "yes"',
      );
    });
  });

  describe('targets in a tensor', () => {
    const x = () => context.tensor([[1], [2], [3]]);
    const bad: Record<string, [run: (options: object) => Result, message: string]> = {
      contrastiveLoss: [
        (options) => contrastiveLoss(x(), x(), context.tensor(Int32Array.of(1, 2, -1)), options),
        'contrastiveLoss: "similar" must be 0 or 1, got 2 in row 1',
      ],
      cosineEmbeddingLoss: [
        (options) => cosineEmbeddingLoss(x(), x(), context.tensor([1, 0.5, nan]), options),
        'cosineEmbeddingLoss: "targets" must be -1 or 1, got 0.5 in row 1',
      ],
      marginRankingLoss: [
        (options) => marginRankingLoss(x(), x(), context.tensor([[1], [0.5], [nan]]), options),
        'marginRankingLoss: "targets" must be -1 or 1, got 0.5 at element 1',
      ],
    };
    it.each(Object.entries(bad))(
      '%s: others give NaN there, or with validate a RangeError',
      async (_, [run, message]) => {
        const { loss, gradients } = run({ reduction: 'none', gradient: true });
        const nans = (values: ArrayLike<number>) => Array.from(values, Number.isNaN);
        for (const tensor of [loss, gradients!.x1, gradients!.x2])
          expect(nans(await tensor.data())).toEqual([false, true, true]);
        const error = await errorOf(async () => run({ validate: true }).loss.data());
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toBe(message);
      },
    );
  });

  describe('combinations', () => {
    it.each(Object.entries(losses))('%s: reductions, weights, upstream', async (_, { names, call, row }) => {
      const shape = [2, 3, 5];
      const inputs = make(names.length, shape, 11);
      const values = await Promise.all(inputs.map((tensor) => tensor.data()));
      const weights = [1, 0.5, 0, 2, 1.5, 1];
      const upstream = [1, -1, 2, 0.5, -0.25, 3];
      const expected = reference.rows(values, 5, row, any(weights));
      const total = Array.from(expected.loss).reduce((a, b) => a + b, 0);
      const near = { relative: 5e-6, absolute: 1e-6 };
      for (const [reduction, by] of [
        ['none', 1],
        ['sum', 1],
        ['mean', 6],
      ] as const) {
        const options = { reduction, sampleWeights: weights, gradient: true };
        const found = call(inputs, { ...options, upstream: reduction === 'none' ? upstream : 3 });
        expect(found.loss.shape).toEqual(reduction === 'none' ? [2, 3] : []);
        expectClose(await found.loss.data(), reduction === 'none' ? expected.loss : [total / by], near);
        expect(Object.keys(found.gradients!)).toEqual(names);
        for (const [n, name] of names.entries()) {
          const scale = (i: number) => (reduction === 'none' ? upstream[Math.floor(i / 5)] : 3 / by);
          const wanted = expected.gradients[n].map((v, i) => v * scale(i));
          expect(found.gradients![name].shape).toEqual(shape);
          expectClose(await found.gradients![name].data(), wanted, near, `${reduction}, ${name}`);
        }
      }
      const alone = call(inputs);
      expect(alone.gradients).toBeUndefined();
      expect(Object.keys(alone)).toEqual(['loss']);
    });

    it('one vector of features is one row', async () => {
      const [a, b] = [context.tensor([3, 4]), context.tensor([0, 0])];
      const { loss, gradients } = contrastiveLoss(a, b, [1], { reduction: 'none', gradient: true });
      expect([loss.shape, await loss.array()]).toEqual([[], 12.5]);
      expect(await gradients!.x2.array()).toEqual([-3, -4]);
    });

    it('no rows, and no features', async () => {
      for (const { names, call } of Object.values(losses)) {
        const none = call(make(names.length, [0, 3]), { gradient: true });
        expect(await none.loss.array()).toBeNaN();
        expect(none.gradients![names[0]].shape).toEqual([0, 3]);
        expect(await call(make(names.length, [0, 3]), { reduction: 'sum' }).loss.array()).toBe(0);
      }
      const featureless = tripletMarginLoss(...(make(3, [2, 0]) as [Tensor, Tensor, Tensor]), { reduction: 'none' });
      expect(await featureless.loss.array()).toEqual([1, 1]); // all distances are 0
    });

    it('marginRankingLoss: weights, scalars, both dtypes', async () => {
      const x1 = context.tensor([1, 2, 3], [3], { dtype: 'float16' });
      const options = { sampleWeights: [1, 0, 3], gradient: true, margin: 0.5 };
      const { loss, gradients } = marginRankingLoss(x1, context.tensor([2, 2, 2]), [1, 1, -1], options);
      expectClose(await loss.data(), [(1.5 + 3 * 1.5) / 4], { relative: 1e-6 });
      expect([gradients!.x1.dtype, gradients!.x2.dtype]).toEqual(['float16', 'float32']);
      expect(await gradients!.x1.array()).toEqual([-0.25, 0, 0.75]);
      expect(await gradients!.x2.array()).toEqual([0.25, 0, -0.75]);
      expect(await marginRankingLoss(context.tensor(1), context.tensor(4), 1).loss.array()).toBe(3);
    });
  });

  describe('rows that are not finite', () => {
    it.each(Object.entries(losses))('%s: NaN throughout, and the others as they were', async (_, { names, call }) => {
      const plain = Array.from(names, (_, n) => normal(5 * 7, { seed: 20 + n }));
      const run = async (values: Float32Array[]) => {
        const inputs = values.map((x) => context.tensor(x, [7, 5]));
        const { loss, gradients } = call(inputs, { reduction: 'none', gradient: true });
        return Promise.all([loss, ...Object.values(gradients!)].map(async (t) => Array.from(await t.data())));
      };
      const before = await run(plain);
      for (const special of [nan, inf, -inf]) {
        for (let n = 0; n < names.length; n++) {
          const values = plain.map((x) => x.slice());
          values[n][1 * 5 + 2] = special;
          values[n][4 * 5] = special;
          const after = await run(values);
          after.forEach((result, k) => {
            const features = k === 0 ? 1 : 5;
            const wanted = before[k].map((v, i) => ([1, 4].includes(Math.floor(i / features)) ? nan : v));
            expect(result, `${special} in ${names[n]}`).toEqual(wanted);
          });
        }
      }
    });

    it('a row that weighs 0 adds nothing, whatever it holds', async () => {
      for (const { names, call } of Object.values(losses)) {
        const inputs = names.map((_, n) =>
          context.tensor([
            [nan, 1],
            [0.5, n + 1],
          ]),
        );
        const { loss, gradients } = call(inputs, { sampleWeights: [0, 2], gradient: true });
        expect(await loss.array()).toBeGreaterThan(0);
        expect((await gradients![names[0]].data()).slice(0, 2)).toEqual(Float32Array.of(0, 0));
        const never = call(inputs, { sampleWeights: [0, 0], gradient: true });
        expect(await never.loss.array()).toBeNaN();
        expect(await never.gradients![names[0]].data()).toEqual(new Float32Array(4));
      }
    });

    it('marginRankingLoss follows its formula', async () => {
      const x1 = context.tensor([inf, inf, -inf, nan, inf]);
      const x2 = context.tensor([0, 0, 0, 0, inf]);
      const options = { reduction: 'none', gradient: true } as const;
      const { loss, gradients } = marginRankingLoss(x1, x2, [1, -1, 1, 1, 1], options);
      expect(await loss.array()).toEqual([0, inf, inf, nan, nan]);
      expect(await gradients!.x1.array()).toEqual([0, 1, -1, nan, nan]);
      expect(await gradients!.x2.array()).toEqual([0, -1, 1, nan, nan]);
    });
  });

  describe('equal inputs', () => {
    const holds = async (tensor: Tensor, expected: number[]) =>
      expectClose(await tensor.data(), expected, { relative: 1e-6 });
    const options = { reduction: 'none', gradient: true } as const;

    it('have gradients that are finite', async () => {
      const [x, zero] = [context.tensor([1, 2, 3, 4], [2, 2]), context.tensor(new Float32Array(4), [2, 2])];
      const apart = contrastiveLoss(x, x, [0, 1], options);
      await holds(apart.loss, [0.5, 0]);
      await holds(apart.gradients!.x1, [0, 0, 0, 0]);
      const same = tripletMarginLoss(x, x, x, { ...options, eps: 0 });
      await holds(same.loss, [1, 1]);
      await holds(same.gradients!.anchor, [0, 0, 0, 0]);
      const nothing = cosineEmbeddingLoss(zero, zero, [1, -1], options); // a vector of zeros has cosine 0
      await holds(nothing.loss, [1, 0]);
      await holds(nothing.gradients!.x1, [0, 0, 0, 0]);
      // Pairs that are equal are ranked apart, as in PyTorch.
      await holds(marginRankingLoss(x, x, [1, 1, 1, -1], options).gradients!.x1, [-1, -1, -1, 1]);
    });

    it('share the derivative of a swapped negative that is as far', async () => {
      // The anchor is the positive: both distances of the negative are one number.
      const a = context.tensor([[0, 0]]);
      const n = context.tensor([[0.5, 0]]);
      const { loss, gradients } = tripletMarginLoss(a, a, n, { ...options, swap: true, eps: 0 });
      await holds(loss, [0.5]);
      await holds(gradients!.anchor, [0.5, 0]);
      await holds(gradients!.positive, [0.5, 0]);
      await holds(gradients!.negative, [-1, 0]);
    });
  });

  describe('accuracy', () => {
    it('cosineEmbeddingLoss: pairs that are nearly parallel keep their digits', async () => {
      const features = 512;
      for (const angle of [1e-1, 1e-2, 1e-3]) {
        const a = normal(features, { seed: 1 });
        const b = a.map((v, i) => 3 * v + 3 * angle * normal(features, { seed: 2 })[i]);
        const { loss } = cosineEmbeddingLoss(context.tensor(a), context.tensor(b), 1 as never);
        const expected = reference.cosineEmbeddingLoss([Array.from(a), Array.from(b)], 1).loss;
        // 1 - cosine, in float32, is off by 6e-8 / (angle^2 / 2): 6 % of the last.
        expectClose(await loss.data(), [expected], { relative: 2e-7 / angle });
      }
    });

    it.each([1, 2, 3, 1.5, 7.25, 0.5])(
      'tripletMarginLoss, p %d: distances of very large and very small gaps',
      async (p) => {
        for (const size of [1e-20, 1, 1e20]) {
          const a = normal(300, { seed: 5 }).map((v) => v * size);
          const zero = new Float32Array(300);
          const tensors = [a, zero, a].map((x) => context.tensor(x, [1, 300])) as [Tensor, Tensor, Tensor];
          const { loss } = tripletMarginLoss(...tensors, { p, eps: 0, margin: 0 });
          const largest = a.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
          const far =
            largest * Array.from(a, (v) => (Math.abs(v) / largest) ** p).reduce((x, y) => x + y, 0) ** (1 / p);
          expectClose(await loss.data(), [far], { relative: 2e-6 });
        }
      },
    );

    it('contrastiveLoss: small distances', async () => {
      const a = normal(300, { seed: 5 }).map((v) => v * 1e-12);
      const pair = [context.tensor(a), context.tensor(new Float32Array(300))] as const;
      const sum = Array.from(a).reduce((x, y) => x + y * y, 0);
      expectClose(await contrastiveLoss(...pair, [1]).loss.data(), [sum / 2], { relative: 2e-6 });
      expectClose(await contrastiveLoss(...pair, [0]).loss.data(), [(1 - Math.sqrt(sum)) ** 2 / 2], { relative: 2e-6 });
    });
  });
});

describe('webgpu', () => {
  it.each(Object.entries(gpuVariants))('many features: %s', async (_, options) => {
    const [context, cpu] = [await createContext(options), await createContext({ backend: 'cpu' })];
    const shape = [3, 1500]; // past several blocks of a sum
    const values = [1, 2, 3].map((seed) => normal(4500, { seed }));
    for (const { names, call } of Object.values(losses)) {
      const run = (context: Context) =>
        call(
          values.slice(0, names.length).map((x) => context.tensor(x, shape)),
          { reduction: 'none', gradient: true },
        );
      const [found, expected] = [run(context), run(cpu)];
      expectClose(await found.loss.data(), await expected.loss.data(), { relative: 2e-6, absolute: 3e-5 });
      for (const name of names)
        expectClose(await found.gradients![name].data(), await expected.gradients![name].data(), {
          relative: 5e-6,
          absolute: 1e-7,
        });
    }
    context.dispose();
    cpu.dispose();
  });

  it('a device with eight storage buffers a pass, the least there is, and small bindings', async () => {
    const device = await limitedDevice({ maxStorageBuffersPerShaderStage: 8, maxStorageBufferBindingSize: 1024 });
    const [context, cpu] = [await createContext({ device }), await createContext({ backend: 'cpu' })];
    const shape = [70, 9];
    const values = [1, 2, 3].map((seed) => normal(630, { seed }));
    for (const dtype of ['float32', 'float16'] as const) {
      for (const { names, call } of Object.values(losses)) {
        const run = (context: Context) =>
          call(
            values.slice(0, names.length).map((x) => context.tensor(x, shape, { dtype })),
            {
              gradient: true,
              sampleWeights: normal(70, { seed: 9 }).map(Math.abs),
              upstream: 2,
            },
          );
        const [found, expected] = [run(context), run(cpu)];
        expectClose(await found.loss.data(), await expected.loss.data(), { relative: 2e-6, absolute: 1e-6 });
        const near =
          dtype === 'float16' ? { relative: 2 ** -10, absolute: 2 ** -24 } : { relative: 5e-6, absolute: 1e-7 };
        for (const name of names)
          expectClose(await found.gradients![name].data(), await expected.gradients![name].data(), near);
      }
    }
    context.dispose();
    cpu.dispose();
    device.destroy();
  });
});
