// `out` and `gradientOut`: results written where the caller says, over the input, beside canary words, and in one buffer with it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  argmax,
  argmin,
  type Context,
  type ContextOptions,
  createContext,
  crossEntropy,
  DisposedError,
  type DType,
  linear,
  logSoftmax,
  logSumExp,
  ShapeError,
  sigmoid,
  softmax,
  type Tensor,
  topK,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import * as contexts from './support/contexts.ts';
import { limitedDevice, usage, wordsOf } from './support/device.ts';
import { normal } from './support/random.ts';

/** Where a result is written does not depend on how lanes come to it: lanes of one subgroup are left to operations.test.ts. */
const someOf = (all: Readonly<Record<string, ContextOptions>>) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !/subgroups|shuffles|plain/.test(name)));
const [variants, gpuVariants] = [someOf(contexts.variants), someOf(contexts.gpuVariants)];

/** Rows that are overwritten are never taken in strips, and a sum has its order from its strips. */
const nearly = { relative: 1e-6, absolute: 1e-7 };

type Results = Record<string, Tensor>;

interface Case {
  readonly name: string;
  /** Results by name, of which `out` holds those that are to be written to. */
  call(x: Tensor, out?: Partial<Results>): Results;
  /** Whether the result may be written over x. */
  readonly inPlace?: boolean;
}

const targetsFor = (rows: number, classes: number) =>
  Int32Array.from({ length: rows }, (_, r) => (r % 3 === 2 ? -100 : r % classes));

/** Every operation that takes `out`. x is a matrix. */
const cases: Case[] = [
  { name: 'softmax', inPlace: true, call: (x, out) => ({ result: softmax(x, { out: out?.result }) }) },
  { name: 'softmax, axis 0', inPlace: true, call: (x, out) => ({ result: softmax(x, { axis: 0, out: out?.result }) }) },
  { name: 'logSoftmax', inPlace: true, call: (x, out) => ({ result: logSoftmax(x, { out: out?.result }) }) },
  { name: 'sigmoid', inPlace: true, call: (x, out) => ({ result: sigmoid(x, { out: out?.result }) }) },
  { name: 'logSumExp', call: (x, out) => ({ result: logSumExp(x, { out: out?.result }) }) },
  { name: 'argmax', call: (x, out) => ({ result: argmax(x, { out: out?.result }) }) },
  { name: 'argmin, axis 0', call: (x, out) => ({ result: argmin(x, { axis: 0, out: out?.result }) }) },
  { name: 'topK', call: (x, out) => ({ ...topK(x, 3, { out: out as { values: Tensor; indices: Tensor } }) }) },
  {
    name: 'linear',
    call: (x, out) => {
      const weight = x.context.tensor(normal(5 * x.shape[1], { seed: 6 }), [5, x.shape[1]]);
      return { result: linear(x, weight, { bias: [1, 2, 3, 4, 5], out: out?.result }) };
    },
  },
  {
    name: 'crossEntropy',
    inPlace: true,
    call: (x, out) => {
      const { gradient } = crossEntropy(x, targetsFor(...(x.shape as [number, number])), {
        gradient: true,
        gradientOut: out?.gradient,
      });
      return { gradient: gradient! };
    },
  },
  {
    name: 'crossEntropy, a loss a row',
    inPlace: true,
    call: (x, out) => {
      const targets = x.context.tensor(targetsFor(...(x.shape as [number, number])));
      const options = {
        reduction: 'none',
        upstream: normal(x.shape[0]),
        gradient: true,
        gradientOut: out?.gradient,
      } as const;
      return { gradient: crossEntropy(x, targets, options).gradient! };
    },
  },
];

/** [rows, classes], both odd: the halves of a float16 word belong to two rows, and the last word holds one element too many. */
const shapes: [number, number][] = [
  [5, 7], // rows past a workgroup of four, classes short of its eight lanes
  [67, 3], // rows past a barrier-free workgroup of 64
];
const dtypes: DType[] = ['float32', 'float16'];
const numbers = ([rows, classes]: [number, number]) => normal(rows * classes, { sigma: 3, seed: rows });

const dataOf = async (results: Results) =>
  Object.fromEntries(await Promise.all(Object.entries(results).map(async ([name, t]) => [name, await t.data()])));

/** The bits of a tensor's elements as they lie in memory: of 16 or of 32 bits each. */
async function bitsOf(tensor: Tensor): Promise<Uint16Array> {
  const words = await wordsOf(tensor.context.device!, tensor.buffer!);
  return new Uint16Array(words.buffer, 0, tensor.size * (tensor.dtype === 'float16' ? 1 : 2));
}

describe.each(Object.entries(variants))('%s', (_, options) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext(options);
  });
  afterAll(() => context.dispose());

  describe.each(cases.map((entry) => [entry.name, entry] as const))('%s', (_, { call }) => {
    it.each(dtypes)('%s: gives back what it was given, with the same numbers', async (dtype) => {
      for (const shape of shapes) {
        const x = context.tensor(numbers(shape), shape, { dtype });
        const none = context.memory().tensors;
        const expected = call(x);
        const made = context.memory().tensors - none;
        const out = Object.fromEntries(
          Object.entries(expected).map(([name, t]) => [
            name,
            context.tensor(new Float32Array(t.size).fill(77), t.shape, { dtype: t.dtype }),
          ]),
        );
        const before = context.memory().tensors;
        const results = call(x, out);
        for (const [name, result] of Object.entries(results)) expect(result, name).toBe(out[name]);
        expect(context.memory().tensors - before).toBe(made - Object.keys(results).length);
        expect(await dataOf(results)).toEqual(await dataOf(expected));
        expect(await x.data()).toEqual(await context.tensor(numbers(shape), shape, { dtype }).data());
      }
    });
  });

  const overInput = cases.filter(({ inPlace }) => inPlace).map((entry) => [entry.name, entry] as const);
  it.each(overInput)('%s: over its own input', async (_, { call }) => {
    for (const shape of shapes) {
      for (const dtype of dtypes) {
        const x = context.tensor(numbers(shape), shape, { dtype });
        const [name, expected] = Object.entries(call(x))[0];
        expect(call(x, { [name]: x })[name]).toBe(x);
        expectClose(await x.data(), await expected.data(), nearly, `${dtype} ${shape}`);
      }
    }
  });

  it('again into the same tensor, and on from there', async () => {
    const x = context.tensor(numbers([5, 7]), [5, 7]);
    const out = context.tensor(new Float32Array(35), [5, 7]);
    const [once, twice] = [softmax(x), softmax(softmax(x))];
    softmax(x, { out });
    const reading = out.data(); // as it is now, whatever is written next
    softmax(out, { out });
    expectClose(await reading, await once.data(), nearly);
    expectClose(await out.data(), await twice.data(), nearly);
    softmax(x, { out }); // back again
    const best = argmax(out);
    sigmoid(out, { out });
    expect(await best.data()).toEqual(await argmax(once).data());
    expectClose(await out.data(), await sigmoid(once).data(), nearly);
  });

  it('nothing, where there are no rows', async () => {
    const x = context.tensor([], [0, 3]);
    const out = context.tensor([], [0, 3]);
    expect(softmax(x, { out })).toBe(out);
    expect(sigmoid(x, { out: x })).toBe(x);
    expect(await crossEntropy(x, [], { gradientOut: out }).gradient!.array()).toEqual([]);
    expect(await topK(x, 2).indices.array()).toEqual([]);
    await context.finished();
  });

  it('partly: topK may be given one of its two', async () => {
    const x = context.tensor([[1, 3, 2]]);
    const indices = context.tensor(new Int32Array(2), [1, 2]);
    const best = topK(x, 2, { out: { indices } as never });
    expect(best.indices).toBe(indices);
    expect([await best.values.array(), await indices.array()]).toEqual([[[3, 2]], [[1, 2]]]);
  });

  it('refuses what does not fit', async () => {
    const x = context.tensor(numbers([5, 7]), [5, 7]);
    const other = await createContext(options);
    const wrong: [unknown, new (message: string) => Error, string][] = [
      [context.tensor(new Float32Array(35)), ShapeError, 'must have shape [5, 7], as its result has, got [35]'],
      [context.tensor(new Float32Array(35), [5, 7], { dtype: 'float16' }), TypeError, 'must be float32, got float16'],
      [other.tensor(new Float32Array(35), [5, 7]), TypeError, 'is a tensor of another context'],
      [new Float32Array(35), TypeError, 'must be a Tensor, got Float32Array'],
      [null, TypeError, 'must be a Tensor, got null'],
    ];
    const before = context.memory();
    for (const [out, kind, message] of wrong) {
      expect(() => softmax(x, { out: out as Tensor })).toThrow(new kind(`softmax: "out" ${message}`));
      expect(() => sigmoid(x, { out: out as Tensor })).toThrow(new kind(`sigmoid: "out" ${message}`));
      expect(() => crossEntropy(x, targetsFor(5, 7), { gradientOut: out as Tensor })).toThrow(
        new kind(`crossEntropy: "gradientOut" ${message}`),
      );
    }
    const values = context.tensor(new Float32Array(15), [5, 3]);
    const call = () => topK(x, 3, { out: { values, indices: values } });
    expect(call).toThrow(new TypeError('topK: "out.indices" must be int32, got float32'));
    expect(() => argmax(x, { out: values })).toThrow(new TypeError('argmax: "out" must be int32, got float32'));
    expect(() => topK(x, 3, { out: { value: values } as never })).toThrow(
      new TypeError('topK: "out": unknown option "value"; it takes values, indices'),
    );
    values.dispose();
    expect(() => linear(x, x, { out: values })).toThrow(new DisposedError('linear: the tensor "out" was disposed'));
    expect(context.memory().tensors).toBe(before.tensors);
    other.dispose();
  });

  it('over the soft labels that the gradient is made from', async () => {
    for (const dtype of dtypes) {
      const [x, labels] = [11, 12].map((seed) => context.tensor(normal(35, { seed }), [5, 7], { dtype }));
      const options = { reduction: 'sum', gradient: true } as const;
      const expected = await crossEntropy(x, labels, options).gradient!.data();
      crossEntropy(x, labels, { ...options, gradientOut: labels });
      expect(await labels.data(), dtype).toEqual(expected);
    }
  });

  it('refuses two results in one tensor', () => {
    const integers = context.tensor(new Int32Array(25), [5, 5]);
    const both = context.tensor(new Int32Array(10), [5, 2]);
    const before = context.memory();
    expect(() => topK(integers, 2, { out: { values: both, indices: both } })).toThrow(
      new TypeError('topK: two results cannot be written to one tensor'),
    );
    expect(context.memory()).toEqual(before);
  });

  it('linear without features, or without classes', async () => {
    const [none, rows] = [context.tensor([[], []]), context.tensor([[], [], []])];
    expect(await linear(none, rows).array()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(await linear(rows, context.tensor(new Float32Array(0), [0, 0])).array()).toEqual([[], [], []]);
  });

  it('refuses to write over what it has yet to read', () => {
    const square = context.tensor(numbers([5, 5]), [5, 5]);
    const weight = context.tensor(numbers([5, 5]), [5, 5]);
    const indices = context.tensor(new Int32Array(25), [5, 5]);
    expect(() => topK(square, 5, { out: { values: square, indices } })).toThrow('topK: "out.values"');
    expect(() => linear(square, weight, { out: square })).toThrow('linear: "out"');
    expect(() => linear(square, weight, { out: weight })).toThrow('linear: "out"');
  });
});

describe.each(Object.entries(gpuVariants))('in a larger buffer: %s', (_, options) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext(options);
  });
  afterAll(() => context.dispose());

  const canary = 0xdeadbeef;

  const filled = (words: number) => {
    const buffer = context.device!.createBuffer({ size: words * 4, usage: usage.all });
    context.device!.queue.writeBuffer(buffer, 0, new Uint32Array(words).fill(canary));
    return buffer;
  };

  /** Offsets that are aligned to what may be bound, just before and after it, and near the start. */
  const offsets = [4, 252, 256, 260];

  it.each(cases.map((entry) => [entry.name, entry] as const))(
    '%s: leaves every word around as it was',
    async (name, { call }) => {
      for (const shape of shapes) {
        for (const dtype of dtypes) {
          const x = context.tensor(numbers(shape), shape, { dtype });
          const expected = call(x);
          for (const byteOffset of offsets) {
            const out: Results = {};
            for (const [key, { shape, dtype, size }] of Object.entries(expected)) {
              out[key] = context.fromBuffer(filled(byteOffset / 4 + size + 70), shape, { dtype, byteOffset });
            }
            call(x, out);
            for (const [key, result] of Object.entries(out)) {
              const halves = new Uint16Array((await wordsOf(context.device!, result.buffer!)).buffer);
              const bits = await bitsOf(expected[key]);
              const around = new Uint16Array(new Uint32Array(halves.length / 2).fill(canary).buffer);
              around.set(bits, byteOffset / 2);
              expect(halves, `${name}, ${key}, ${dtype} ${shape} at ${byteOffset}`).toEqual(around);
              result.buffer!.destroy();
            }
          }
        }
      }
    },
  );

  it.each(cases.map((entry) => [entry.name, entry] as const))(
    '%s: input and results in one buffer',
    async (name, { call }) => {
      for (const shape of shapes) {
        for (const dtype of dtypes) {
          const expected = call(context.tensor(numbers(shape), shape, { dtype }));
          const buffer = filled(4096);
          // One after the other with a word or half a word between them, so that the pieces that are bound overlap.
          let byteOffset = 4;
          const place = ({ shape, dtype, size }: Pick<Tensor, 'shape' | 'dtype' | 'size'>) => {
            const tensor = context.fromBuffer(buffer, shape, { dtype, byteOffset });
            byteOffset += Math.ceil((size * (dtype === 'float16' ? 2 : 4)) / 4) * 4 + 4;
            return tensor;
          };
          const x = place({ shape, dtype, size: shape[0] * shape[1] });
          const bits = await bitsOf(context.tensor(numbers(shape), shape, { dtype }));
          const padded = new Uint16Array(bits.length + (bits.length % 2));
          padded.set(bits);
          context.device!.queue.writeBuffer(buffer, 4, padded);
          const out = Object.fromEntries(Object.entries(expected).map(([key, t]) => [key, place(t)]));
          call(x, out);
          const label = `${name}, ${dtype} ${shape}`;
          for (const [key, result] of Object.entries(out))
            expect(await result.data(), label).toEqual(await expected[key].data());
          expect((await bitsOf(context.tensor(await x.data(), shape, { dtype }))).slice(), label).toEqual(bits.slice());
          buffer.destroy();
        }
      }
    },
  );

  it('nothing, at the very end of the buffer', async () => {
    const end = { byteOffset: 256 };
    const buffer = filled(64);
    const logits = context.fromBuffer(buffer, [0, 3], end);
    const targets = context.fromBuffer(buffer, [0], { ...end, dtype: 'int32' });
    expect(await softmax(logits, { out: logits }).array()).toEqual([]);
    expect(await crossEntropy(logits, targets, { gradientOut: logits }).loss.array()).toBeNaN();
    expect(
      await linear(context.fromBuffer(buffer, [2, 0], end), context.fromBuffer(buffer, [3, 0], end)).array(),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    await context.finished();
    expect(await wordsOf(context.device!, buffer)).toEqual(new Uint32Array(64).fill(canary));
  });

  it('over its own input through another view of the buffer', async () => {
    for (const dtype of dtypes) {
      const x = context.tensor(numbers([5, 7]), [5, 7], { dtype });
      const expected = await softmax(x).data();
      softmax(x, { out: context.fromBuffer(x.buffer!, [5, 7], { dtype }) });
      expect(await x.data()).toEqual(expected);
    }
  });

  it('logits, targets, upstream and gradient in one buffer', async () => {
    const shape: [number, number] = [5, 7];
    const buffer = filled(256);
    const { queue } = context.device!;
    queue.writeBuffer(buffer, 0, numbers(shape));
    queue.writeBuffer(buffer, 35 * 4, targetsFor(...shape));
    queue.writeBuffer(buffer, 40 * 4, normal(5, { seed: 8 }));
    const logits = context.fromBuffer(buffer, shape);
    const targets = context.fromBuffer(buffer, [5], { dtype: 'int32', byteOffset: 35 * 4 });
    const upstream = context.fromBuffer(buffer, [5], { byteOffset: 40 * 4 });
    const gradientOut = context.fromBuffer(buffer, shape, { byteOffset: 45 * 4 });
    const { loss: lossAlone, gradient } = crossEntropy(context.tensor(numbers(shape), shape), targetsFor(...shape), {
      reduction: 'none',
      upstream: normal(5, { seed: 8 }),
      gradient: true,
    });
    const separate = { loss: lossAlone, gradient: gradient! };
    const options = { reduction: 'none', upstream, gradientOut } as const;
    const { loss } = crossEntropy(logits, targets, options);
    expect(await dataOf({ loss, gradient: gradientOut })).toEqual(await dataOf(separate));
    const over = crossEntropy(logits, targets, { ...options, gradientOut: logits });
    expect(await dataOf({ loss: over.loss, gradient: logits })).toEqual(await dataOf(separate));
    expect((await wordsOf(context.device!, buffer)).slice(80)).toEqual(new Uint32Array(176).fill(canary));
  });
});

describe('in pieces, where a binding holds 1 KiB', () => {
  let context: Context;
  let whole: Context;
  beforeAll(async () => {
    whole = await createContext({ backend: 'webgpu' });
    context = await createContext({ device: await limitedDevice({ maxStorageBufferBindingSize: 1024 }) });
  });
  afterAll(() => {
    whole.dispose();
    context.device!.destroy();
  });

  // 67 rows of 9: 2,412 bytes of float32, 1,206 of float16, and pieces of float16 that begin inside a word.
  const shape: [number, number] = [67, 9];

  it.each(cases.map((entry) => [entry.name, entry] as const))('%s', async (name, { call }) => {
    if (name.includes('axis 0'))
      return expect(() => call(context.tensor(numbers(shape), shape))).toThrow('needs a binding');
    for (const dtype of dtypes) {
      const expected = await dataOf(call(whole.tensor(numbers(shape), shape, { dtype })));
      expect(await dataOf(call(context.tensor(numbers(shape), shape, { dtype }))), dtype).toEqual(expected);
    }
  });

  it('linear, whose weight is bound in pieces too', async () => {
    // 40 classes of 8 features are 1,280 bytes.
    for (const dtype of dtypes) {
      const [expected, result] = [whole, context].map((c) => {
        const features = c.tensor(numbers([5, 8]), [5, 8], { dtype });
        return linear(features, c.tensor(numbers([40, 8]), [40, 8]), { bias: normal(40) });
      });
      expect(await result.data(), dtype).toEqual(await expected.data());
    }
  });
});
