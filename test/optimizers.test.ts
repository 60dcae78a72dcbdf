// Optimizers, clipping and schedules against PyTorch (golden/make_training.py), on both backends.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type AdamOptions,
  adam,
  adamW,
  type Context,
  clipGradients,
  constantSchedule,
  cosineSchedule,
  createContext,
  crossEntropy,
  DisposedError,
  linear,
  type Optimizer,
  oneCycleSchedule,
  type Schedule,
  ShapeError,
  sgd,
  stepSchedule,
  warmupSchedule,
} from '../src/index.ts';
import { linearGradient } from '../src/operations/linear-gradient.ts';
import golden from './golden/training.json';
import { expectClose, expectCloseByRow } from './support/close.ts';
import { variants } from './support/contexts.ts';
import { requestDevice, usage } from './support/device.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const makers = { sgd, adam, adamW };
const make = ({ optimizer, options }: { optimizer: string; options: object }): Optimizer =>
  makers[optimizer as keyof typeof makers](options as AdamOptions);

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());
  afterEach(() => expect(context.memory().tensors).toBe(0));

  test.each(golden.optimizers.map((entry) => [entry.name, entry] as const))('%s: 50 steps', async (_, entry) => {
    const optimizer = make(entry);
    using parameter = context.tensor(golden.start);
    const path: Promise<ArrayLike<number>>[] = [];
    for (const [i, numbers] of golden.gradients.entries()) {
      using gradient = context.tensor(numbers);
      optimizer.step([parameter], [gradient]);
      if (golden.recorded.includes(i + 1)) path.push(parameter.data());
    }
    for (const [i, data] of (await Promise.all(path)).entries()) expectCloseByRow(data, entry.path[i], 6, 1e-6);
    optimizer.dispose();
  });

  test.each(golden.heads.map((entry) => [entry.name, entry] as const))('a head, %s: 50 steps', async (_, entry) => {
    const { features, targets, weight, bias } = golden.head;
    const optimizer = make(entry);
    using x = context.tensor(features);
    using t = context.tensor(Int32Array.from(targets));
    const parameters = [context.tensor(weight), context.tensor(bias)];
    for (let step = 1; step <= 50; step++) {
      using logits = linear(x, parameters[0], { bias: parameters[1] });
      const { loss, gradient } = crossEntropy(logits, t, { gradient: true });
      const by = linearGradient(x, gradient!, true);
      optimizer.step(parameters, [by.weight, by.bias!]);
      const at = golden.recorded.indexOf(step);
      if (at >= 0) {
        const expected = entry.path[at];
        expectClose(await loss.data(), [expected.loss], { relative: 1e-5 });
        expectClose(await parameters[0].data(), expected.weight, { relative: 1e-5 });
        expectClose(await parameters[1].data(), expected.bias, { relative: 1e-5 });
      }
      for (const tensor of [loss, gradient!, by.weight, by.bias!]) tensor.dispose();
    }
    optimizer.dispose();
    for (const tensor of parameters) tensor.dispose();
  });

  test('several parameters of several shapes, and a learning rate that changes', async () => {
    const optimizer = sgd({ learningRate: 1 });
    using a = context.tensor([
      [1, 2],
      [3, 4],
    ]);
    using b = context.tensor([5]);
    using da = context.tensor(new Float32Array(4).fill(1), [2, 2]);
    using db = context.tensor([2]);
    optimizer.step([a, b], [da, db]);
    optimizer.learningRate = 0.5;
    optimizer.step([b], [db]);
    expect(optimizer.learningRate).toBe(0.5);
    expect(await a.array()).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await b.array()).toEqual([2]);
    optimizer.step([], []);
  });

  test('gradients that are not finite stay with their parameters', async () => {
    const numbers = [1, nan, 1, 1, 1];
    const bad = [1, 1, nan, inf, -inf];
    const good = [1, 1, 1, 1, 1];
    const walked = async (optimizer: Optimizer) => {
      using parameter = context.tensor(numbers);
      for (const values of [bad, good]) {
        using gradient = context.tensor(values);
        optimizer.step([parameter], [gradient]);
      }
      optimizer.dispose();
      return [...(await parameter.data())];
    };
    expect(await walked(sgd({ learningRate: 0.25 }))).toEqual([0.5, nan, nan, -inf, inf]);
    expect(await walked(sgd({ learningRate: 0.25, momentum: 0.5 }))).toEqual([0.375, nan, nan, -inf, inf]);
    for (const made of [adam, adamW]) {
      const [first, ...rest] = await walked(made({ learningRate: 0.25, amsgrad: true, weightDecay: 0 }));
      expect(first).toBeCloseTo(0.5, 6);
      expect(rest).toEqual([nan, nan, nan, nan]);
    }
  });

  test('state goes on where it was left, for another tensor, and is freed', async () => {
    const [first, second] = [adam({ learningRate: 0.1, amsgrad: true }), adam({ learningRate: 0.1, amsgrad: true })];
    using a = context.tensor([1, 2]);
    using gradient = context.tensor([1, -3]);
    expect(await first.state([a])).toEqual([null]);
    first.step([a], [gradient]);
    using b = context.tensor(await a.data());
    const states = await first.state([a]);
    expect(states[0]).toMatchObject({ step: 1 });
    second.restore([b], states);
    first.step([a], [gradient]);
    second.step([b], [gradient]);
    expect(await b.data()).toEqual(await a.data());
    expect(context.memory().tensors).toBe(3 + 6);
    second.restore([b], [null]);
    expect(context.memory().tensors).toBe(3 + 3);
    first.dispose();
    expect(context.memory().tensors).toBe(3);
    const [none] = await first.state([a]);
    expect(none).toBe(null);
  });

  test('clipGradients', async () => {
    const clipped = async (values: number[][], most: number) => {
      const gradients = values.map((numbers) => context.tensor(numbers));
      const norm = clipGradients(gradients, most);
      const result = { norm: await norm.array(), gradients: await Promise.all(gradients.map((g) => g.array())) };
      for (const tensor of [norm, ...gradients]) tensor.dispose();
      return result;
    };
    expect(await clipped([[3], [0, 4]], 10)).toEqual({ norm: 5, gradients: [[3], [0, 4]] });
    const { norm, gradients } = await clipped([[3], [0, 4]], 1);
    expect(norm).toBe(5);
    expectClose((gradients as number[][]).flat(), [0.6, 0, 0.8], { relative: 1e-6 });
    expect(await clipped([[0, 0]], 1)).toEqual({ norm: 0, gradients: [[0, 0]] });
    expect(await clipped([[]], 1)).toEqual({ norm: 0, gradients: [[]] });
    expect(await clipped([[1, nan], [2]], 1)).toEqual({ norm: nan, gradients: [[nan, nan], [nan]] });
    expect(await clipped([[1, -inf], [2]], 1)).toEqual({ norm: inf, gradients: [[0, nan], [0]] });
  });

  test('refusals, before anything moves', async () => {
    using a = context.tensor([1, 2]);
    using half = context.tensor([1, 2], undefined, { dtype: 'float16' });
    using three = context.tensor([1, 2, 3]);
    const gone = context.tensor([1, 2]);
    gone.dispose();
    const other = await createContext({ backend });
    const theirs = other.tensor([1, 2]);
    const optimizer = sgd({ learningRate: 1 });
    // biome-ignore format: one a line
    const refused: [() => unknown, new (message: string) => Error, string][] = [
      [() => sgd({} as never), TypeError, 'sgd: "learningRate" must be a finite number from 0, got undefined'],
      [() => sgd({ learningRate: -1 }), RangeError, 'sgd: "learningRate" must be a finite number from 0, got -1'],
      [() => sgd({ lr: 1 } as never), TypeError, 'sgd: unknown option "lr"; it takes learningRate, momentum, dampening, nesterov, weightDecay'],
      [() => sgd({ learningRate: 1, nesterov: true }), RangeError, 'sgd: "nesterov" needs a momentum above 0 and a dampening of 0'],
      [() => adam({ learningRate: 1, beta2: 1 }), RangeError, 'adam: "beta2" must be a number from 0 to below 1, got 1'],
      [() => { optimizer.learningRate = nan; }, RangeError, 'sgd: "learningRate" must be a finite number from 0, got NaN'],
      [() => optimizer.step(a as never, []), TypeError, 'sgd.step: "parameters" must be an array of tensors, got Tensor'],
      [() => optimizer.step([half], [half]), TypeError, 'sgd.step: "parameters[0]" must be float32, got float16'],
      [() => optimizer.step([a, a], [a, a]), TypeError, 'sgd.step: "parameters[1]" is among the parameters twice'],
      [() => optimizer.step([a], []), ShapeError, 'sgd.step: "gradients" must be 1, one a parameter, got 0'],
      [() => optimizer.step([a], [a]), TypeError, 'sgd.step: "gradients[0]" may not lie in its parameter\'s memory'],
      [() => optimizer.step([a], [three]), ShapeError, 'sgd.step: "gradients[0]" must have shape [2], as its parameter has, got [3]'],
      [() => optimizer.step([a], [gone]), DisposedError, 'sgd.step: the tensor "gradients[0]" was disposed'],
      [() => optimizer.step([a], [theirs]), TypeError, 'sgd.step: "gradients[0]" is a tensor of another context'],
      [() => clipGradients([], 1), TypeError, 'clipGradients: "gradients" must be an array of one or more tensors, got []'],
      [() => clipGradients([a], 0), RangeError, 'clipGradients: "maxNorm" must be a positive number, got 0'],
      [() => clipGradients([a, a], 1), TypeError, 'clipGradients: "gradients[1]" is among the gradients twice'],
    ];
    for (const [call, kind, message] of refused) expect(call).toThrow(new kind(message));
    expect(await a.array()).toEqual([1, 2]);
    other.dispose();
  });
});

describe.each(Object.entries(variants))('%s: a norm over slices', (_, options) => {
  test('of several tensors', async () => {
    using context = await createContext(options);
    const sizes = [1, 4095, 8200];
    const gradients = sizes.map((size) => context.tensor(Float32Array.from({ length: size }, (_, i) => (i % 7) - 3)));
    const squares = sizes.map((size) => Array.from({ length: size }, (_, i) => ((i % 7) - 3) ** 2));
    const expected = Math.sqrt(squares.flat().reduce((a, b) => a + b, 0));
    expectClose(await clipGradients(gradients, 1e9).data(), [expected], { relative: 1e-6 });
  });
});

test('a gradient in the GPU buffer of its parameter is refused', async () => {
  const device = await requestDevice();
  using context = await createContext({ device });
  const buffer = device.createBuffer({ size: 512, usage: usage.all });
  const [a, b] = [context.fromBuffer(buffer, [2]), context.fromBuffer(buffer, [2], { byteOffset: 256 })];
  expect(() => adam({ learningRate: 1 }).step([a], [b])).toThrow("may not lie in its parameter's memory");
  device.destroy();
});

describe('schedules', () => {
  const steps = 10;
  const factors = (schedule: Schedule, from = 0) => Array.from({ length: steps }, (_, i) => schedule(i + from, steps));
  test.each([
    ['step', stepSchedule({ stepSize: 3, gamma: 0.5 })],
    ['cosine', cosineSchedule({ last: 0.1 })],
    ['warmup', warmupSchedule({ steps: 4, first: 0.25 })],
    ['oneCycle', oneCycleSchedule()],
  ] as const)('%s as PyTorch has it', (name, schedule) => {
    expectClose(factors(schedule), golden.schedules[name], { relative: 1e-12, absolute: 1e-15 });
  });

  test('warm-up before another, and what is refused', () => {
    expect(factors(constantSchedule())).toEqual(new Array(10).fill(1));
    const both = warmupSchedule({ steps: 2 }, stepSchedule({ stepSize: 2, gamma: 0.5 }));
    expectClose(factors(both).slice(0, 6), [1 / 3, 2 / 3, 1, 1, 0.5, 0.5], { relative: 1e-12 });
    for (const total of [1, 2]) expect(oneCycleSchedule()(total - 1, total)).toBeCloseTo(4e-6, 12);
    expect(() => stepSchedule({ stepSize: 0 })).toThrow(
      new RangeError('stepSchedule: "stepSize" must be an integer from 1, got 0'),
    );
    expect(() => warmupSchedule({} as never)).toThrow(TypeError);
    expect(() => cosineSchedule({ last: 2 })).toThrow(RangeError);
  });
});
