// Elementwise losses: what they refuse, broadcasting, combinations of options, numbers that are not finite, accuracy, sizes. Plain
// values are held to PyTorch in golden-operations.test.ts, variants of the kernels in operations.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  binaryCrossEntropy,
  type Context,
  createContext,
  hingeEmbeddingLoss,
  hingeLoss,
  klDivLoss,
  meanSquaredError,
  ShapeError,
  sigmoidFocalLoss,
  type Tensor,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { limitedDevice } from './support/device.ts';
import * as reference from './support/element-reference.ts';
import { errorOf } from './support/errors.ts';
import { normal, uniform } from './support/random.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const any = (value: unknown) => value as never;

type Loss = (x: Tensor, targets: never, options?: never) => { loss: Tensor; gradient?: Tensor };
const losses: Record<string, Loss> = {
  binaryCrossEntropy,
  sigmoidFocalLoss,
  klDivLoss,
  hingeLoss,
  hingeEmbeddingLoss,
  meanSquaredError,
};
const ones = (n: number) => new Float32Array(n).fill(1);

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  describe('refuse, before anything is allocated', () => {
    const refuses = async (call: () => unknown, kind: new (message: string) => Error, message: string) => {
      const before = context.memory();
      const error = (await errorOf(call)) as Error;
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toBe(message);
      expect(context.memory()).toEqual(before);
    };

    it.each(Object.entries(losses))('%s', async (fn, loss) => {
      const x = context.tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const name =
        fn === 'hingeLoss' ? 'scores' : /^(hinge|mean)/.test(fn) ? 'x' : /^kl/.test(fn) ? 'logProbabilities' : 'logits';
      const integers = context.tensor(Int32Array.of(1, 2), [2]);
      const call = (options: object) => () => loss(x, any(ones(6)), any(options));
      const reductions = `"none", "mean"${fn === 'klDivLoss' ? ', "sum" or "batchmean"' : ' or "sum"'}`;
      await refuses(() => loss(any([1]), any([1])), TypeError, `${fn}: "${name}" must be a Tensor, got [1]`);
      await refuses(
        () => loss(integers, any([1, 1])),
        TypeError,
        `${fn}: "${name}" must be float32 or float16, got int32`,
      );
      await refuses(call({ reduction: 'avg' }), TypeError, `${fn}: "reduction" must be ${reductions}, got "avg"`);
      await refuses(call({ gradient: 1 }), TypeError, `${fn}: "gradient" must be true or false, got 1`);
      await refuses(
        call({ upstream: [1, 2] }),
        ShapeError,
        `${fn}: "upstream" must have shape [], as the loss has, got [2]`,
      );
      await refuses(call({ gradientOut: integers }), TypeError, `${fn}: "gradientOut" must be float32, got int32`);
      const unfit = `${fn}: "weights" of shape`;
      await refuses(call({ weights: [1, 2] }), ShapeError, `${unfit} [2] cannot be broadcast to [2, 3]`);
      await refuses(
        call({
          weights: [[1, 2, 3]].concat([
            [1, 2, 3],
            [1, 2, 3],
          ]),
        }),
        ShapeError,
        `${unfit} [3, 3] cannot be broadcast to [2, 3]`,
      );
      await refuses(call({ weights: [[[1, 2, 3]]] }), ShapeError, `${unfit} [1, 1, 3] cannot be broadcast to [2, 3]`);
      await refuses(
        call({ weights: 'x' }),
        TypeError,
        `${fn}: "weights" must be a typed array or numbers in arrays, got "x"`,
      );
      await refuses(
        call({ weights: null }),
        TypeError,
        `${fn}: "weights" must be a typed array or numbers in arrays, got null`,
      );
      await refuses(call({ weights: integers }), TypeError, `${fn}: "weights" must be float32, got int32`);
      await refuses(
        () => loss(x, any([1, 1])),
        ShapeError,
        `${fn}: "targets" must have shape [2, 3], one target an element, got [2]`,
      );
      await refuses(() => loss(x, any(integers)), TypeError, `${fn}: "targets" must be float32 or float16, got int32`);
      const error = (await errorOf(call({ sampleWeights: [1, 1] }))) as Error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain(`${fn}: unknown option "sampleWeights"; it takes reduction, gradient`);
    });

    it('options of their own', async () => {
      const x = context.tensor([1, 2]);
      const t = [1, 1];
      const finite = 'must be a finite number';
      for (const margin of [nan, inf]) {
        await refuses(() => hingeLoss(x, t, { margin }), RangeError, `hingeLoss: "margin" ${finite}, got ${margin}`);
        await refuses(
          () => hingeEmbeddingLoss(x, t, { margin }),
          RangeError,
          `hingeEmbeddingLoss: "margin" ${finite}, got ${margin}`,
        );
      }
      await refuses(() => hingeLoss(x, t, { margin: any('1') }), TypeError, `hingeLoss: "margin" ${finite}, got "1"`);
      await refuses(
        () => hingeLoss(x, t, { squared: any(2) }),
        TypeError,
        'hingeLoss: "squared" must be true or false, got 2',
      );
      await refuses(
        () => hingeLoss(x, t, { validate: any(2) }),
        TypeError,
        'hingeLoss: "validate" must be true or false, got 2',
      );
      for (const gamma of [-0.5, nan, inf])
        await refuses(
          () => sigmoidFocalLoss(x, t, { gamma }),
          RangeError,
          `sigmoidFocalLoss: "gamma" ${finite} from 0, got ${gamma}`,
        );
      for (const alpha of [1.5, nan, inf])
        await refuses(
          () => sigmoidFocalLoss(x, t, { alpha }),
          RangeError,
          `sigmoidFocalLoss: "alpha" must be a number to 1, negative or null for none, got ${alpha}`,
        );
      await refuses(
        () => klDivLoss(x, t, { logTarget: any(1) }),
        TypeError,
        'klDivLoss: "logTarget" must be true or false, got 1',
      );
      await refuses(
        () => binaryCrossEntropy(x, t, { posWeight: [1, 2, 3] }),
        ShapeError,
        'binaryCrossEntropy: "posWeight" of shape [3] cannot be broadcast to [2]',
      );
      await refuses(() => hingeLoss(x, [1, 0]), RangeError, 'hingeLoss: "targets" must be -1 or 1, got 0 at element 1');
      await refuses(
        () => hingeEmbeddingLoss(x, [nan, 2]),
        RangeError,
        'hingeEmbeddingLoss: "targets" must be -1 or 1, got NaN at element 0',
      );
    });
  });

  describe('targets in a tensor', () => {
    it.each([['hingeLoss', hingeLoss] as const, ['hingeEmbeddingLoss', hingeEmbeddingLoss] as const])(
      '%s: others than -1 and 1 give NaN there, or with validate a RangeError',
      async (fn, loss) => {
        const x = context.tensor([0.5, 0.5, 0.5, 0.5]);
        const t = context.tensor([1, 0, nan, -1]);
        const found = loss(x, t, { reduction: 'none', gradient: true });
        expectClose(await found.loss.data(), [0.5, nan, nan, fn === 'hingeLoss' ? 1.5 : 0.5]);
        expectClose(await found.gradient!.data(), fn === 'hingeLoss' ? [-1, nan, nan, 1] : [1, nan, nan, -1]);
        const error = await errorOf(async () => loss(x, t, { validate: true }).loss.data());
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toBe(`${fn}: "targets" must be -1 or 1, got 0 at element 1`);
      },
    );
  });

  describe('broadcasting', () => {
    /** [shape of the input, shape of the operand]. */
    const shapes: [number[], number[]][] = [
      [[2, 3], []],
      [[2, 3], [1]],
      [[2, 3], [3]],
      [
        [2, 3],
        [2, 1],
      ],
      [
        [2, 3],
        [1, 3],
      ],
      [
        [2, 3],
        [2, 3],
      ],
      [[3, 3], [3]],
      [
        [2, 3, 4],
        [3, 1],
      ],
      [
        [2, 3, 4],
        [2, 1, 4],
      ],
      [
        [2, 3, 4],
        [2, 3, 1],
      ],
      [
        [2, 1, 4],
        [1, 4],
      ],
      [
        [2, 1, 4, 3],
        [2, 1, 1, 3],
      ],
      [
        [2, 3, 2, 3, 2, 3, 2],
        [2, 1, 2, 1, 2, 1, 2],
      ],
      [[], []],
    ];
    const count = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
    /** The operand in the shape of the input. */
    const spread = (values: Float32Array, own: number[], shape: number[]) =>
      Float32Array.from({ length: count(shape) }, (_, element) => {
        let [rest, stride, index] = [element, 1, 0];
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          const length = own[axis - shape.length + own.length] ?? 1;
          if (length > 1) index += (rest % shape[axis]) * stride;
          stride *= length;
          rest = Math.floor(rest / shape[axis]);
        }
        return values[index];
      });

    it.each(shapes)('over %j, of %j', async (shape, own) => {
      const size = count(shape);
      const x = context.tensor(normal(size, { seed: 3 }), shape);
      const t = context.tensor(
        Float32Array.from({ length: size }, (_, i) => (i % 3) / 2),
        shape,
      );
      const values = Float32Array.from({ length: count(own) }, (_, i) => 1 + i / 4);
      const full = context.tensor(spread(values, own, shape), shape);
      const tensor = context.tensor(values, own);
      const given: [object, object][] = [
        [{ weights: tensor }, { weights: full }],
        [{ posWeight: tensor }, { posWeight: full }],
        [
          { weights: tensor, posWeight: [0.5] },
          { weights: full, posWeight: 0.5 },
        ],
        [
          { weights: [2], posWeight: tensor },
          { weights: 2, posWeight: full },
        ],
        [
          { weights: tensor, posWeight: tensor },
          { weights: full, posWeight: full },
        ],
      ];
      if (shape.length === 0) given.splice(2, 2); // where [2] is one axis too many
      for (const [broadcast, plain] of given) {
        const [a, b] = [broadcast, plain].map((options) =>
          binaryCrossEntropy(x, t, { ...options, reduction: 'none', gradient: true }),
        );
        expect(await a.loss.data()).toEqual(await b.loss.data());
        expect(await a.gradient!.data()).toEqual(await b.gradient!.data());
      }
    });

    it('arrays, flat and nested, and numbers', async () => {
      const x = context.tensor(normal(6), [2, 3]);
      const sum = (weights: never) => meanSquaredError(x, ones(6), { reduction: 'none', weights }).loss.data();
      const rows = await sum(any([[2], [3]]));
      expect(await sum(any([2, 2, 2, 3, 3, 3]))).toEqual(rows);
      expect(await sum(any(Float32Array.of(2, 2, 2, 3, 3, 3)))).toEqual(rows);
      expect(
        await sum(
          any([
            [2, 2, 2],
            [3, 3, 3],
          ]),
        ),
      ).toEqual(rows);
      expect(await sum(any([5, 5, 5]))).toEqual(await sum(any(5)));
    });
  });

  describe('numbers that are not finite', () => {
    /** [input, target, loss, gradient] */
    type Case = [number, number, number, number];
    const cases: Record<string, [Loss, object, Case[]]> = {
      binaryCrossEntropy: [
        binaryCrossEntropy,
        {},
        [
          [inf, 1, 0, 0],
          [inf, 0, inf, 1],
          [inf, 0.25, inf, 0.75],
          [-inf, 0, 0, 0],
          [-inf, 1, inf, -1],
          [-inf, 0.25, inf, -0.25],
          [nan, 1, nan, nan],
          [0, nan, nan, nan],
          [0, inf, nan, nan],
          [3e38, 1, 0, 0],
          [3e38, 0, 3e38, 1],
          [-3e38, 1, 3e38, -1],
        ],
      ],
      sigmoidFocalLoss: [
        sigmoidFocalLoss,
        {},
        [
          [inf, 1, 0, 0],
          [inf, 0, inf, 0.75],
          [-inf, 0, 0, 0],
          [-inf, 1, inf, -0.25],
          [inf, 0.5, inf, 0.5 * 0.25 * 0.5],
          [nan, 0, nan, nan],
          [0, 1.5, nan, nan],
          [0, -0.5, nan, nan],
          [0, nan, nan, nan],
        ],
      ],
      'sigmoidFocalLoss, gamma 0, alpha 0': [
        sigmoidFocalLoss,
        { gamma: 0, alpha: 0 },
        [
          [-inf, 1, 0, 0], // it weighs nothing
          [inf, 0, inf, 1],
          [inf, 1, 0, 0],
        ],
      ],
      klDivLoss: [
        klDivLoss,
        {},
        [
          [-inf, 0, 0, 0],
          [-inf, 0.5, inf, -0.5],
          [inf, 0.5, -inf, -0.5],
          [-1, 0, 0, 0],
          [nan, 0, nan, nan],
          [-1, nan, nan, nan],
          [-1, -0.5, nan, nan],
          [-1, inf, nan, nan],
        ],
      ],
      'klDivLoss, logTarget': [
        klDivLoss,
        { logTarget: true },
        [
          [-inf, -inf, 0, 0],
          [-1, -inf, 0, 0],
          [-inf, 0, inf, -1],
          [-1, nan, nan, nan],
          [-1, inf, nan, nan],
          [nan, -inf, nan, nan],
        ],
      ],
      hingeLoss: [
        hingeLoss,
        {},
        [
          [inf, 1, 0, 0],
          [-inf, 1, inf, -1],
          [inf, -1, inf, 1],
          [nan, 1, nan, nan],
          [1, 1, 0, -1], // exactly at the margin
        ],
      ],
      'hingeLoss, squared': [
        hingeLoss,
        { squared: true },
        [
          [inf, 1, 0, 0],
          [-inf, 1, inf, -inf],
          [nan, -1, nan, nan],
        ],
      ],
      hingeEmbeddingLoss: [
        hingeEmbeddingLoss,
        {},
        [
          [inf, 1, inf, 1],
          [inf, -1, 0, 0],
          [-inf, -1, inf, -1],
          [nan, 1, nan, nan],
          [1, -1, 0, -1],
        ],
      ],
      meanSquaredError: [
        meanSquaredError,
        {},
        [
          [inf, 0, inf, inf],
          [0, inf, inf, -inf],
          [inf, inf, nan, nan],
          [inf, -inf, inf, inf],
          [nan, 0, nan, nan],
          [3e38, 0, inf, inf],
        ],
      ],
    };

    it.each(Object.entries(cases))('%s', async (_, [loss, options, list]) => {
      const x = context.tensor(Float32Array.from(list, ([x]) => x));
      const t = context.tensor(Float32Array.from(list, ([, t]) => t));
      const found = loss(x, any(t), any({ ...options, reduction: 'none', gradient: true }));
      const near = { relative: 1e-6 };
      expectClose(
        await found.loss.data(),
        list.map(([, , loss]) => loss),
        near,
        'loss',
      );
      expectClose(
        await found.gradient!.data(),
        list.map(([, , , gradient]) => gradient),
        near,
        'gradient',
      );
    });

    it.each(Object.entries(losses))('%s: an element that weighs 0 adds nothing, whatever it holds', async (_, loss) => {
      const x = context.tensor([nan, inf, 0.5, -inf]);
      const t = context.tensor([1, 1, 1, 1]);
      for (const reduction of ['mean', 'sum']) {
        const found = loss(x, any(t), any({ reduction, weights: [0, 0, 2, 0], gradient: true }));
        const alone = loss(context.tensor([0.5]), any([1]), any({ reduction: 'sum', weights: 2, gradient: true }));
        const by = reduction === 'mean' ? 4 : 1;
        expectClose(await found.loss.data(), [(await alone.loss.data())[0] / by], { ulp: 1 });
        expectClose(await found.gradient!.data(), [0, 0, (await alone.gradient!.data())[0] / by, 0], { ulp: 2 });
      }
    });

    it('NaN in one element makes the mean NaN, and no other gradient', async () => {
      const { loss, gradient } = binaryCrossEntropy(context.tensor([0, nan, 0]), [1, 1, 0], { gradient: true });
      expect(await loss.array()).toBeNaN();
      expectClose(await gradient!.data(), [-0.5 / 3, nan, 0.5 / 3], { relative: 1e-6 });
    });
  });

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
