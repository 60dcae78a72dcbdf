// crossEntropy beyond the table: its errors, combinations that the device must split, and the cases that other libraries get wrong.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext, crossEntropy, ShapeError, softmax } from '../src/index.ts';
import { expectClose, expectCloseByRow } from './support/close.ts';
import { crossEntropyOf } from './support/cross-entropy-reference.ts';
import { integers, normal } from './support/random.ts';
import * as reference from './support/reference.ts';

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: masked } = Number;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  describe('what other libraries get wrong', () => {
    it('a masked class beside confident logits: no NaN', async () => {
      const { loss, gradient } = crossEntropy(context.tensor([[masked, 2, 1]]), [1], { gradient: true });
      expectClose(await loss.data(), [Math.log1p(Math.exp(-1))], { relative: 1e-6 });
      expect(((await gradient!.array()) as number[][])[0][0]).toBe(0);
    });

    it('five equal logits of 3e38: log 5', async () => {
      const x = context.tensor([[3e38, 3e38, 3e38, 3e38, 3e38]]);
      expectClose(await crossEntropy(x, [3]).loss.data(), [Math.log(5)], { relative: 1e-6 });
    });

    it('logits far from 0 keep their digits, and are not clipped as probabilities are', async () => {
      const x = context.tensor([[10_000, 9_999, 9_997]]);
      expectClose(await crossEntropy(x, [2]).loss.data(), [3 + Math.log1p(Math.exp(-1) + Math.exp(-3))], {
        relative: 1e-6,
      });
      expectClose(await crossEntropy(context.tensor([[0, 50]]), [0]).loss.data(), [50], { relative: 1e-6 }); // not 20.7, not 16.1
    });

    it('labels that do not sum to one: the gradient is sum(t) p - t', async () => {
      const { gradient } = crossEntropy(context.tensor([[0, 0]]), context.tensor([[3, 1]]), { gradient: true });
      expect(await gradient!.array()).toEqual([[-1, 1]]);
    });

    it('the gradient by labels is -log p', async () => {
      const { targetGradient } = crossEntropy(context.tensor([[0, 0]]), context.tensor([[1, 0]]), {
        targetGradient: true,
      });
      expectClose(await targetGradient!.data(), [Math.LN2, Math.LN2], { relative: 1e-6 });
    });

    it('the textbook example: logits [3, 4] and class 0', async () => {
      expectClose(await crossEntropy(context.tensor([[3, 4]]), [0]).loss.data(), [1.3132616875182228], {
        relative: 1e-7,
      });
    });

    it('ignored rows add nothing, whatever they hold; all of them ignored is NaN', async () => {
      const x = context.tensor([
        [nan, 1],
        [0, 0],
        [inf, masked],
      ]);
      const { loss, gradient } = crossEntropy(x, [-100, 1, -100], { gradient: true });
      expectClose(await loss.data(), [Math.LN2], { relative: 1e-6 });
      expect(await gradient!.array()).toEqual([
        [0, 0],
        [0.5, -0.5],
        [0, 0],
      ]);
      const none = crossEntropy(x, [-100, -100, -100], { gradient: true });
      expect([await none.loss.array(), await none.gradient!.array()]).toEqual([
        nan,
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      ]);
      expect(await crossEntropy(x, [-100, -100, -100], { reduction: 'sum' }).loss.array()).toBe(0);
    });
  });

  describe('special targets and weights', () => {
    it('smoothing over a masked class is +Infinity', async () => {
      const { loss } = crossEntropy(context.tensor([[masked, 1]]), [1], { labelSmoothing: 0.1 });
      expect(await loss.array()).toBe(inf);
    });

    it('a soft label of 0 on a masked class adds 0; mass on it is +Infinity', async () => {
      const x = context.tensor([
        [masked, 0, 0],
        [masked, 0, 0],
      ]);
      const labels = context.tensor([
        [0, 1, 0],
        [0.5, 0.5, 0],
      ]);
      const { loss, gradient } = crossEntropy(x, labels, { reduction: 'none', gradient: true });
      expectClose(await loss.data(), [Math.LN2, inf], { relative: 1e-6 });
      expect(await gradient!.array()).toEqual([
        [0, -0.5, 0.5],
        [-0.5, 0, 0.5],
      ]);
    });

    it('a row that weighs 0 adds nothing, whatever it holds', async () => {
      const x = context.tensor([
        [nan, 0],
        [0, 0],
      ]);
      const { loss, gradient } = crossEntropy(x, [0, 1], { sampleWeights: [0, 2], gradient: true });
      expectClose(await loss.data(), [Math.LN2], { relative: 1e-6 });
      expect(await gradient!.array()).toEqual([
        [0, 0],
        [0.5, -0.5],
      ]);
    });

    it('weights that sum to 0: NaN with gradient 0', async () => {
      const { loss, gradient } = crossEntropy(context.tensor([[0, 1]]), [1], { classWeights: [1, 0], gradient: true });
      expect([await loss.array(), await gradient!.array()]).toEqual([nan, [[0, 0]]]);
    });

    it('metrics: the first of ties is the argmax; ignored and undefined rows are not correct', async () => {
      const x = context.tensor([
        [1, 1],
        [1, 1],
        [0, 5],
        [nan, 1],
        [0, 5],
      ]);
      const { correct, logSumExp } = crossEntropy(x, [0, 1, 1, 0, -100], { metrics: true });
      expect(await correct!.array()).toEqual([1, 0, 1, 0, 0]);
      expect(correct!.dtype).toBe('int32');
      const sums = await logSumExp!.data();
      expectClose(sums, reference.logSumExp([1, 1, 1, 1, 0, 5, nan, 1, 0, 5], [5, 2]), { relative: 1e-6 });
    });

    it('an upstream that is infinite scales as IEEE 754 does', async () => {
      const { gradient } = crossEntropy(context.tensor([[0, 0]]), [0], { gradient: true, upstream: inf });
      expect(await gradient!.array()).toEqual([[-inf, inf]]);
    });
  });

  describe('errors', () => {
    const x = () =>
      context.tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
    it.each<[name: string, options: object, error: new (message: string) => Error, message: string]>([
      ['labelSmoothing', { labelSmoothing: 1.5 }, RangeError, '"labelSmoothing" must be a number from 0 to 1, got 1.5'],
      ['softcap', { softcap: 0 }, RangeError, '"softcap" must be a positive finite number, got 0'],
      ['temperature', { temperature: -1 }, RangeError, '"temperature" must be a positive finite number, got -1'],
      ['zLoss', { zLoss: nan }, RangeError, '"zLoss" must be a finite number from 0, got NaN'],
      [
        'classWeights',
        { classWeights: [1, 2] },
        ShapeError,
        '"classWeights" must have shape [3], one a class, got [2]',
      ],
      ['sampleWeights', { sampleWeights: [1] }, ShapeError, '"sampleWeights" must have shape [2], one a row, got [1]'],
      ['targetGradient', { targetGradient: true }, TypeError, '"targetGradient" needs soft targets, got class indices'],
      ['ignoreIndex', { ignoreIndex: 0.5 }, RangeError, '"ignoreIndex" must be an integer of int32, or null, got 0.5'],
    ])('%s', (_, options, error, message) => {
      const before = context.memory();
      const logits = x();
      expect(() => crossEntropy(logits, [0, 1], options)).toThrow(error);
      expect(() => crossEntropy(logits, [0, 1], options)).toThrow(`crossEntropy: ${message}`);
      logits.dispose();
      expect(context.memory().tensors).toBe(before.tensors);
    });

    it('soft targets with an ignoreIndex, of another shape, or of integers', () => {
      const logits = x();
      const soft = context.tensor([
        [0, 1, 0],
        [1, 0, 0],
      ]);
      expect(() => crossEntropy(logits, soft, { ignoreIndex: -100 })).toThrow(
        '"ignoreIndex" cannot be given with soft targets',
      );
      expect(() =>
        crossEntropy(
          logits,
          context.tensor([
            [0, 1],
            [1, 0],
          ]),
        ),
      ).toThrow(ShapeError);
      expect(() => crossEntropy(logits, context.tensor(new Int32Array(6), [2, 3]))).toThrow(TypeError);
    });
  });

  it('soft labels of float16 and in arrays give what those of float32 give', async () => {
    const [rows, classes] = [3, 7];
    const logits = context.tensor(normal(rows * classes, { seed: 2 }), [rows, classes]);
    const labels = Array.from({ length: rows }, (_, r) => Array.from({ length: classes }, (_, c) => ((r + c) % 3) / 4));
    const half = context.tensor(labels, undefined, { dtype: 'float16' });
    const of = async (targets: Parameters<typeof crossEntropy>[1]) => {
      const { loss, targetGradient } = crossEntropy(logits, targets, { targetGradient: true });
      return { loss: await loss.data(), dtype: targetGradient!.dtype, slopes: await targetGradient!.data() };
    };
    const [a, b, c] = [await of(context.tensor(labels)), await of(labels), await of(half)];
    expect(b).toEqual(a);
    expect(c.loss).toEqual(a.loss);
    expect(c.dtype).toBe('float16');
    expectClose(c.slopes, a.slopes, { relative: 2 ** -11 });
  });
});

describe('a device with default limits', () => {
  it('binds eight storage buffers: every option and result at once, over the logits', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
    const context = await createContext({ device });
    const [rows, classes] = [67, 33];
    const shape = [rows, classes];
    const values = normal(rows * classes, { sigma: 2, seed: 8 });
    const labels = normal(rows * classes, { seed: 9 }).map(Math.abs);
    const classWeights = normal(classes, { seed: 10 }).map(Math.abs);
    const sampleWeights = normal(rows, { seed: 11 }).map(Math.abs);
    const options = { labelSmoothing: 0.1, zLoss: 0.01, temperature: 2, classWeights, sampleWeights } as const;
    const logits = context.tensor(values, shape);
    const results = crossEntropy(logits, context.tensor(labels, shape), {
      ...options,
      upstream: 1,
      gradientOut: logits,
      targetGradient: true,
      metrics: true,
    });
    const expected = crossEntropyOf(values, shape, 1, { ...options, labels });
    expect(results.gradient).toBe(logits);
    expectClose(await results.loss.data(), expected.loss, { relative: 2e-6 });
    expectCloseByRow(await logits.data(), expected.gradient, classes, 5e-6, 'gradient');
    expectCloseByRow(await results.targetGradient!.data(), expected.targetGradient, classes, 2e-6, 'targetGradient');
    expectClose(await results.correct!.data(), expected.correct);
    expectClose(await results.logSumExp!.data(), expected.logSumExp, { relative: 1e-6 });
    context.dispose();
    device.destroy();
  });
});

describe('probabilities and losses agree', () => {
  it('the mean of -log softmax at the targets is the loss', async () => {
    const context = await createContext({ backend: 'webgpu' });
    const x = context.tensor(normal(50 * 20, { seed: 6 }), [50, 20]);
    const targets = integers(50, 20, { seed: 7 });
    const p = await softmax(x).data();
    const mean = targets.reduce((total, target, r) => total - Math.log(p[r * 20 + target]) / 50, 0);
    expectClose(await crossEntropy(x, targets).loss.data(), [mean], { relative: 2e-6 });
    context.dispose();
  });
});
