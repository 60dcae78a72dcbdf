// What a caller may pass by mistake or malice in the place of anything: an argument, or the value of an option.
import { type Context, Tensor } from '../../../src/index.ts';

export interface Junk {
  readonly what: string;
  /** A number with which float32 and float64 may part: both answer, and no more can be said. */
  readonly extreme?: boolean;
  /** @param given what stands there in a right call */
  make(context: Context, other: Context, given: unknown): unknown;
}

const plain: readonly unknown[] = [
  ...[undefined, null, true, false, '', 'x', 'none', 'mean', 'sum', 'batchmean', 'softmax', 'sigmoid', '__proto__'],
  ...[
    0,
    -0,
    1,
    2,
    3,
    5,
    -1,
    -2,
    -100,
    7.5,
    0.5,
    -0.5,
    1e-3,
    0.999,
    1e-300,
    1e300,
    1e38,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e21,
  ],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

const cyclic = (): unknown[] => {
  const array: unknown[] = [];
  array.push(array);
  return array;
};
const deep = () => Array.from({ length: 20_000 }).reduce<unknown>((inner) => [inner], 1);

const objects: Readonly<Record<string, () => unknown>> = {
  'a bigint': () => 10n,
  'a symbol': () => Symbol('s'),
  'a function': () => () => 1,
  'a class': () => class {},
  '{}': () => ({}),
  '{ length: 2 }': () => ({ length: 2, 0: 1, 1: 0 }),
  '{ length: 1e9 }': () => ({ length: 1e9 }),
  'an object without a prototype': () => Object.create(null),
  'a frozen array': () => Object.freeze([0, 1]),
  'a Date': () => new Date(0),
  'a Map': () => new Map(),
  'a Proxy': () => new Proxy({}, {}),
  'a Number': () => new Number(2),
  '[]': () => [],
  '[1]': () => [1],
  '[0, 1]': () => [0, 1],
  '[0.5, 1.5]': () => [0.5, 1.5],
  '[-1, 9]': () => [-1, 9],
  '[[1, 2], [3]]': () => [[1, 2], [3]],
  '[[]]': () => [[]],
  '[NaN]': () => [Number.NaN],
  "['a']": () => ['a'],
  '[undefined]': () => [undefined],
  'an array with a hole': () => Array.from({ length: 3 }, (_, i) => i).concat(new Array(2)),
  'an array in itself': cyclic,
  'arrays 20,000 deep': deep,
  'a Float32Array of 0': () => new Float32Array(0),
  'a Float32Array of 3': () => Float32Array.of(1, 0, 1),
  'an Int32Array of 3': () => Int32Array.of(1, 0, 1),
  'a Uint8Array of 3': () => Uint8Array.of(1, 0, 1),
  'a BigInt64Array': () => new BigInt64Array(3),
  'a DataView': () => new DataView(new ArrayBuffer(8)),
  'an ArrayBuffer': () => new ArrayBuffer(8),
  'a promise': () => Promise.resolve(1),
};

const whole = (dtype: string) => dtype !== 'float32' && dtype !== 'float16';

/** Numbers that are exact in every dtype but int8 and those without a sign. */
const numbersFor = (size: number, dtype: string) =>
  Float32Array.from({ length: size }, (_, i) => (whole(dtype) ? i % 3 : ((i * 37) % 64) / 16 - 2));

const tensors: readonly Junk[] = [
  ...(['float32', 'float16', 'int32', 'uint32', 'int8'] as const).flatMap((dtype) => {
    const of = (what: string, shapeOf: (shape: readonly number[]) => readonly number[]): Junk => ({
      what: `a tensor of ${dtype} ${what}`,
      make: (context, _, given) => {
        const shape = shapeOf(given instanceof Tensor ? given.shape : [2, 3]);
        return context.tensor(
          numbersFor(
            shape.reduce((a, b) => a * b, 1),
            dtype,
          ),
          shape,
          { dtype },
        );
      },
    });
    return [
      of('of the same shape', (shape) => shape),
      of('without its last axis', (shape) => shape.slice(0, -1)),
      of('without its first axis', (shape) => shape.slice(1)),
      of('with one axis more', (shape) => [...shape, 2]),
      of('longer', (shape) => shape.map((length) => length + 1)),
      of('of no elements', (shape) => shape.map(() => 0)),
      of('a scalar', () => []),
    ];
  }),
  {
    what: 'a tensor that was disposed of',
    make: (context, _, given) => {
      const tensor = context.tensor(
        given instanceof Tensor ? new Float32Array(given.size) : [1],
        given instanceof Tensor ? given.shape : [1],
      );
      tensor.dispose();
      return tensor;
    },
  },
  {
    what: 'a tensor of another context',
    make: (_, other, given) => {
      const shape = given instanceof Tensor ? given.shape : [2, 3];
      return other.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
    },
  },
  { what: 'an array of one tensor', make: (context) => [context.tensor([1, 2, 3])] },
  { what: 'what stands there', make: (_, __, given) => given },
  { what: 'what stands there, in an array', make: (_, __, given) => [given] },
];

const shownPlain = (value: unknown) =>
  typeof value === 'string' ? JSON.stringify(value) : Object.is(value, -0) ? '-0' : String(value);

export const junk: readonly Junk[] = [
  ...plain.map(
    (value): Junk => ({
      what: shownPlain(value),
      extreme: typeof value === 'number' && !(Math.abs(value) < 1e6 && (value === 0 || Math.abs(value) > 1e-6)),
      make: () => value,
    }),
  ),
  ...Object.entries(objects).map(([what, make]): Junk => ({ what, make })),
  ...tensors,
];
