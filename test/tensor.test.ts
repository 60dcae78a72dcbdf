// Tensors: what goes in comes out, in every dtype and shape, copied, on both backends. Buffers that are the caller's: from-buffer.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Context,
  createContext,
  DisposedError,
  type DType,
  linear,
  type NestedNumbers,
  ShapeError,
  sigmoid,
  softmax,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { errorOf } from './support/errors.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** [a number, the float16 nearest to it]: where rounding is easily got wrong. */
const halves: [number, number, string][] = [
  [1, 1, 'exact'],
  [0.1, 0.0999755859375, 'nearest below'],
  [1 + 2 ** -11, 1, 'a tie, to even below'],
  [1 + 3 * 2 ** -11, 1 + 2 ** -9, 'a tie, to even above'],
  [1 + 2 ** -11 + 2 ** -23, 1 + 2 ** -10, 'one float32 past a tie'],
  [1 + 2 ** -11 - 2 ** -23, 1, 'one float32 short of a tie'],
  [2049, 2048, 'a tie of integers'],
  [-2051, -2052, 'a negative tie'],
  [2 - 2 ** -12, 2, 'carries into the exponent'],
  [65504, 65504, 'the largest'],
  [65519.99609375, 65504, 'the last that is not infinite'],
  [65520, inf, 'the first that is infinite: a tie'],
  [-65520, -inf, 'and its negative'],
  [3.4e38, inf, 'far too large'],
  [2 ** -14, 2 ** -14, 'the least normal'],
  [2 ** -14 - 2 ** -25, 2 ** -14, 'a subnormal tie that becomes normal'],
  [1023 * 2 ** -24, 1023 * 2 ** -24, 'the largest subnormal'],
  [3 * 2 ** -25, 2 * 2 ** -24, 'a subnormal tie, to even above'],
  [5 * 2 ** -25, 2 * 2 ** -24, 'a subnormal tie, to even below'],
  [2 ** -24, 2 ** -24, 'the least subnormal'],
  [2 ** -25, 0, 'half of it: a tie, to zero'],
  [2 ** -25 + 2 ** -48, 2 ** -24, 'one float32 more'],
  [-(2 ** -26), -0, 'to negative zero'],
  [1e-45, 0, 'the least float32'],
];

/** What `context.tensor` refuses: data, shape, options, the error's class and message. */
const refused: [unknown, unknown, unknown, typeof TypeError | typeof ShapeError, string][] = [
  [
    [[1, 2], [3]],
    undefined,
    {},
    ShapeError,
    '"data" is ragged: its arrays do not all have the shape [2, 2] of the first',
  ],
  [[1, [2]], undefined, {}, ShapeError, '"data" is ragged: its arrays do not all have the shape [2] of the first'],
  [[[1], 2], undefined, {}, ShapeError, '"data" is ragged: its arrays do not all have the shape [2, 1] of the first'],
  [[[], [1]], undefined, {}, ShapeError, '"data" is ragged: its arrays do not all have the shape [2, 0] of the first'],
  [[[1, 2]], [2, 1], {}, ShapeError, '"data" must have shape [2, 1], got [1, 2]'],
  [[1, 2, 3], [2, 2], {}, ShapeError, '"data" has 3 elements, shape [2, 2] needs 4'],
  [new Float32Array(3), [4], {}, ShapeError, '"data" has 3 elements, shape [4] needs 4'],
  [1, [0], {}, ShapeError, '"data" has 1 elements, shape [0] needs 0'],
  [[1, '2'], undefined, {}, TypeError, '"data" must hold numbers, got "2"'],
  [[1, undefined, 3], undefined, {}, TypeError, '"data" must hold numbers, got undefined'],
  [[[null]], undefined, {}, TypeError, '"data" must hold numbers, got null'],
  ['12', undefined, {}, TypeError, '"data" must be a typed array or numbers in arrays, got "12"'],
  [undefined, undefined, {}, TypeError, '"data" must be a typed array or numbers in arrays, got undefined'],
  [{ length: 2 }, undefined, {}, TypeError, '"data" must be a typed array or numbers in arrays, got Object'],
  [new ArrayBuffer(4), undefined, {}, TypeError, '"data" must be a typed array or numbers in arrays, got ArrayBuffer'],
  [
    BigInt64Array.of(1n),
    undefined,
    {},
    TypeError,
    '"data" must be a typed array or numbers in arrays, got BigInt64Array',
  ],
  [[1], 1, {}, TypeError, '"shape" must be an array of integers, got 1'],
  [[1], ['1'], {}, TypeError, '"shape" must hold integers, got "1"'],
  [[1], [-1], {}, RangeError, '"shape" must hold integers from 0, got [-1]'],
  [[1], [0.5, 2], {}, RangeError, '"shape" must hold integers from 0, got [0.5, 2]'],
  [[1], [nan], {}, RangeError, '"shape" must hold integers from 0, got [NaN]'],
  [
    [1],
    undefined,
    { dtype: 'float64' },
    TypeError,
    '"dtype" must be "float32", "float16", "int32", "uint32" or "int8", got "float64"',
  ],
  [[1], undefined, { type: 'int32' }, TypeError, 'unknown option "type"; it takes dtype, label'],
  [[1], undefined, 'int32', TypeError, 'options must be an object, got "int32"'],
  [[1.5], undefined, { dtype: 'int32' }, TypeError, '"data" must hold integers of int32, got 1.5 at element 0'],
  [[0, nan], undefined, { dtype: 'uint32' }, TypeError, '"data" must hold integers of uint32, got NaN at element 1'],
  [
    [2 ** 31],
    undefined,
    { dtype: 'int32' },
    RangeError,
    '"data" must hold integers of int32, got 2147483648 at element 0',
  ],
  [
    Int32Array.of(0, -1),
    undefined,
    { dtype: 'uint32' },
    RangeError,
    '"data" must hold integers of uint32, got -1 at element 1',
  ],
];

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  describe('data in', () => {
    it.each<[string, NestedNumbers | Float32Array, number[]]>([
      ['a number', 7, []],
      ['one dimension', [1, 2, 3], [3]],
      ['no elements', [], [0]],
      ['one row', [[1, 2]], [1, 2]],
      ['rows without elements', [[], []], [2, 0]],
      ['four axes', [[[[1], [2]]], [[[3], [4]]], [[[5], [6]]]], [3, 1, 2, 1]],
      ['a typed array', Float32Array.of(1, 2), [2]],
    ])('%s', async (_, data, shape) => {
      const x = context.tensor(data);
      expect(x).toMatchObject({
        shape,
        dtype: 'float32',
        size: shape.reduce((a, b) => a * b, 1),
        disposed: false,
        plan: '',
      });
      expect(x.context).toBe(context);
      expect(x.buffer === null).toBe(backend === 'cpu');
      expect(await x.array()).toEqual(data instanceof Float32Array ? Array.from(data) : data);
      const values = await x.data();
      expect(values).toBeInstanceOf(Float32Array);
      expect(values).toHaveLength(x.size);
    });

    it('a shape for flat data', async () => {
      expect(await context.tensor([1, 2, 3, 4, 5, 6], [2, 3]).array()).toEqual([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      expect(await context.tensor(Float64Array.of(0.1), [1, 1]).array()).toEqual([[Math.fround(0.1)]]);
      expect(await context.tensor([5], []).array()).toBe(5);
      expect(await context.tensor(5, [1, 1]).array()).toEqual([[5]]);
      expect(await context.tensor([], [0, 3]).array()).toEqual([]);
      expect(await context.tensor([], [2, 0, 3]).array()).toEqual([[], []]);
    });

    it.each<[string, ArrayLike<number>, DType | undefined, DType]>([
      ['Int32Array', Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0), undefined, 'int32'],
      ['Uint32Array', Uint32Array.of(2 ** 32 - 1, 0, 7), undefined, 'uint32'],
      ['Uint8Array', Uint8Array.of(255, 0, 7), undefined, 'float32'],
      ['Int16Array', Int16Array.of(-5, 6, 7), 'int32', 'int32'],
      ['Float64Array', Float64Array.of(1, 2, 3), 'uint32', 'uint32'],
      ['numbers', [-1, 2, 3], 'int32', 'int32'],
      ['Int32Array', Int32Array.of(1, 2, 3), 'float32', 'float32'],
      ['Float32Array', Float32Array.of(1.5, -2, 3), 'float16', 'float16'],
      ['Int8Array', Int8Array.of(-128, 127, 3), undefined, 'float32'],
      ['Int8Array', Int8Array.of(-128, 127, 3), 'int8', 'int8'],
      ['numbers', [-128, 127, 0], 'int8', 'int8'],
    ])('%s as %s', async (_, data, asked, dtype) => {
      const x = context.tensor(data as Float32Array, [3], { dtype: asked });
      expect(x.dtype).toBe(dtype);
      const values = await x.data();
      const floats = { float32: Float32Array, float16: Float32Array };
      const types = { int32: Int32Array, uint32: Uint32Array, int8: Int8Array, ...floats };
      expect(values).toBeInstanceOf(types[dtype]);
      expect(Array.from(values)).toEqual(Array.from(data));
    });

    it('NaN, infinities and zeros of both signs', async () => {
      const data = [nan, inf, -inf, -0, 0, 1e-45, 3.4028234663852886e38];
      expect(Array.from(await context.tensor(data).data())).toEqual(Array.from(Float32Array.from(data)));
      const [, , , zero] = await context.tensor(data, undefined, { dtype: 'float16' }).data();
      expect(Object.is(zero, -0)).toBe(true);
    });

    it.each(refused.map((entry) => [entry[4], entry] as const))(
      'refuses: %s',
      async (message, [data, shape, options, kind]) => {
        const before = context.memory();
        const error = await errorOf(() => context.tensor(data as number[], shape as number[], options as object));
        expect(error).toBeInstanceOf(kind);
        expect((error as Error).message).toBe(`context.tensor: ${message}`);
        expect(context.memory()).toEqual(before);
      },
    );
  });

  describe('float16', () => {
    const values = halves.map(([value]) => value);
    const rounded = halves.map(([, half]) => half);

    it('rounds what comes in to the nearest, ties to even', async () => {
      // An odd number of elements: half a word is left over.
      const data = [...values, nan];
      const x = context.tensor(data, undefined, { dtype: 'float16' });
      expect(Array.from(await x.data())).toEqual([...rounded, nan]);
      expect(data.length % 2).toBe(1);
      expect(Array.from(await context.tensor(Float32Array.from(data), [5, 5], { dtype: 'float16' }).data())).toEqual([
        ...rounded,
        nan,
      ]);
    });

    it('rounds results alike', async () => {
      // 1 x weight: each result is one of the values, rounded once where it is stored.
      const one = context.tensor([[1]], undefined, { dtype: 'float16' });
      const weight = context.tensor(values, [values.length, 1]);
      const result = linear(one, weight);
      expect(result.dtype).toBe('float16');
      expectClose(await result.data(), rounded);
    });
  });

  describe('data out', () => {
    it('is a copy, each time', async () => {
      const given = Float32Array.of(1, 2);
      const x = context.tensor(given);
      given.fill(9);
      const [first, second] = await Promise.all([x.data(), x.data()]);
      expect(first).not.toBe(second);
      first.fill(8);
      expect(Array.from(second)).toEqual([1, 2]);
      expect(Array.from(await x.data())).toEqual([1, 2]);
      expect((await x.data()).buffer.byteLength).toBe(8); // nothing of a larger buffer hangs on it
      const shape = [2];
      const y = context.tensor(given, shape);
      shape[0] = 5;
      expect(y.shape).toEqual([2]);
      expect(Object.isFrozen(y.shape)).toBe(true);
    });

    it('many at once, and in any order', async () => {
      const tensors = Array.from({ length: 40 }, (_, i) => context.tensor([i, i + 0.5]));
      const reads = tensors.map((x) => [x.data(), x.array()]).reverse();
      const values = await Promise.all(reads.map((both) => Promise.all(both)));
      values.reverse().forEach(([data, array], i) => {
        expect([Array.from(data as Float32Array), array]).toEqual([
          [i, i + 0.5],
          [i, i + 0.5],
        ]);
      });
    });

    it.each([
      ['float32', new Float32Array(3)],
      ['float16', new Float32Array(3)],
      ['int32', new Int32Array(3)],
      ['uint32', new Uint32Array(3)],
      ['int8', new Int8Array(3)],
    ] as const)('into an array that the caller keeps: %s', async (dtype, into) => {
      const [x, y] = [context.tensor([1, 2, 3], [3], { dtype }), context.tensor([4, 5, 6], [3], { dtype })];
      expect(await x.data({ into })).toBe(into);
      expect(Array.from(into)).toEqual([1, 2, 3]);
      await y.data({ into });
      expect(Array.from(into)).toEqual([4, 5, 6]);
    });

    it('into part of an array, into memory that is shared, and into none', async () => {
      const all = new Float32Array(4).fill(9);
      await context.tensor([1, 2]).data({ into: all.subarray(1, 3) });
      expect(Array.from(all)).toEqual([9, 1, 2, 9]);
      // Pages have shared memory where they are isolated, which the tests' is not.
      const shared = new Float32Array(new (globalThis.SharedArrayBuffer ?? ArrayBuffer)(8));
      await context.tensor([1, 2]).data({ into: shared });
      expect(Array.from(shared)).toEqual([1, 2]);
      const none = new Float32Array(0);
      expect(await context.tensor([], [0, 3]).data({ into: none })).toBe(none);
    });

    it('into nothing that it does not fit', async () => {
      const x = context.tensor([1, 2, 3]);
      const given: [unknown, Error][] = [
        [{ into: new Float32Array(2) }, new ShapeError('data: "into" must have 3 elements, got 2')],
        [{ into: new Int32Array(3) }, new TypeError('data: "into" must be a Float32Array, got Int32Array')],
        [{ into: [0, 0, 0] }, new TypeError('data: "into" must be a Float32Array, got [0, 0, 0]')],
        [{ into: null }, new TypeError('data: "into" must be a Float32Array, got null')],
        [{ out: new Float32Array(3) }, new TypeError('data: unknown option "out"; it takes into')],
        [7, new TypeError('data: options must be an object, got 7')],
      ];
      for (const [options, error] of given)
        await expect(x.data(options as { into: Float32Array })).rejects.toThrow(error);
    });

    it('of what is disposed of while it is read, and before its work has run', async () => {
      const x = context.tensor([0, 0]);
      const y = softmax(x);
      x.dispose();
      const z = sigmoid(y);
      const reading = y.data();
      y.dispose();
      // Whatever is made next may get the buffers of x and y.
      const others = Array.from({ length: 8 }, () => context.tensor([7, 7]));
      expect(Array.from(await reading)).toEqual([0.5, 0.5]);
      expectClose(await z.data(), [0.622459352, 0.622459352], { relative: 1e-6 });
      for (const other of others) expect(await other.array()).toEqual([7, 7]);
    });
  });

  describe('disposal', () => {
    it('twice is once, and every use afterwards is an error', async () => {
      const x = context.tensor([[1, 2]]);
      x.dispose();
      x.dispose();
      expect(x.disposed).toBe(true);
      for (const read of [() => x.data(), () => x.array()]) {
        const error = await errorOf(read);
        expect(error).toBeInstanceOf(DisposedError);
        expect(error).toMatchObject({ name: 'DisposedError', message: 'data: the tensor was disposed' });
      }
      expect(() => softmax(x)).toThrow(new DisposedError('softmax: the tensor "logits" was disposed'));
      expect(x).toMatchObject({ shape: [1, 2], dtype: 'float32', size: 2 });
      const [y, z] = [context.tensor([3]), context.tensor([4])]; // a buffer given back twice would now be shared
      expect([await y.array(), await z.array()]).toEqual([[3], [4]]);
    });

    it('with `using`', async () => {
      const before = context.memory().tensors;
      {
        using x = context.tensor([1]);
        using y = sigmoid(x);
        expect(context.memory().tensors).toBe(before + 2);
        expect(y.disposed).toBe(false);
      }
      expect(context.memory().tensors).toBe(before);
    });
  });

  if (backend === 'cpu') {
    it('has no GPU buffers to wrap', () => {
      const message = 'context.fromBuffer: this context computes on the CPU and has no GPU buffers';
      expect(() => context.fromBuffer({} as GPUBuffer, [1])).toThrow(new TypeError(message));
    });
  }
});
