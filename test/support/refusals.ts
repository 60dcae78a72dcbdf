// What is refused, as tables: the class of each error, its words, and that nothing was allocated for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext, DisposedError, type Tensor } from '../../src/index.ts';
import { type Counts, countCalls } from './device.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Tensors that calls are made with; x is [2, 3]. */
export interface Given {
  x: Tensor;
  half: Tensor;
  integers: Tensor;
  scalar: Tensor;
  empty: Tensor; // [2, 0]
  weight: Tensor; // [4, 3]
  targets: Tensor; // [2], int32
  floats: Tensor; // [2]
  gone: Tensor; // [2, 3], disposed of
  theirs: Tensor; // [2, 3], of another context
  theirTargets: Tensor;
}

export type Kind = new (message: string) => Error;
/** [call, class of the error, message after the name of the function]; options and operands may be anything. */
export type Bad = [(given: Given) => unknown, Kind, string];
export type Call = (x: Tensor, options?: object) => unknown;

export const any = (value: unknown) => value as never;

/** What every operation of one matrix refuses. */
export function refusedByAll(fn: string, call: Call, name: string, dtypes = 'float32 or float16'): Bad[] {
  return [
    [() => call(any(undefined)), TypeError, `${fn}: "${name}" must be a Tensor, got undefined`],
    [() => call(any([[1, 2]])), TypeError, `${fn}: "${name}" must be a Tensor, got [[1, 2]]`],
    [() => call(any(new Float32Array(3))), TypeError, `${fn}: "${name}" must be a Tensor, got Float32Array`],
    [({ gone }) => call(gone), DisposedError, `${fn}: the tensor "${name}" was disposed`],
    ...(dtypes === 'any'
      ? []
      : [[({ integers }: Given) => call(integers), TypeError, `${fn}: "${name}" must be ${dtypes}, got int32`] as Bad]),
    [({ x }) => call(x, any(null)), TypeError, `${fn}: options must be an object, got null`],
    [({ x }) => call(x, any(1)), TypeError, `${fn}: options must be an object, got 1`],
    [({ x }) => call(x, any([])), TypeError, `${fn}: options must be an object, got []`],
  ];
}

export function refusedAxes(fn: string, call: Call): Bad[] {
  const range = 'must be an integer from -2 to 1';
  return [
    [({ x }) => call(x, { axis: 2 }), RangeError, `${fn}: "axis" ${range}, got 2`],
    [({ x }) => call(x, { axis: -3 }), RangeError, `${fn}: "axis" ${range}, got -3`],
    [({ x }) => call(x, { axis: 0.5 }), RangeError, `${fn}: "axis" ${range}, got 0.5`],
    [({ x }) => call(x, { axis: nan }), RangeError, `${fn}: "axis" ${range}, got NaN`],
    [({ x }) => call(x, { axis: '1' }), TypeError, `${fn}: "axis" ${range}, got "1"`],
    [({ x }) => call(x, { axis: null }), TypeError, `${fn}: "axis" ${range}, got null`],
    [({ scalar }) => call(scalar), RangeError, `${fn}: needs at least one axis, got a scalar`],
    [({ empty }) => call(empty), RangeError, `${fn}: the class axis -1 of shape [2, 0] is empty`],
    [({ empty }) => call(empty, { axis: 1 }), RangeError, `${fn}: the class axis 1 of shape [2, 0] is empty`],
  ];
}

export const refusedTemperatures = (fn: string, call: Call): Bad[] =>
  [0, -1, nan, inf, '1'].map((temperature) => [
    ({ x }) => call(x, { temperature }),
    typeof temperature === 'string' ? TypeError : RangeError,
    `${fn}: "temperature" must be a positive finite number, got ${JSON.stringify(temperature) === 'null' ? temperature : JSON.stringify(temperature)}`,
  ]);

export const unknown = (fn: string, call: Call, takes: string): Bad => [
  ({ x }) => call(x, { dim: 1 }),
  TypeError,
  `${fn}: unknown option "dim"; it takes ${takes}`,
];

/** The tests that a table asks for, in the describe block of a backend. Returns what the calls are given, once the tests run. */
export function itRefuses(backend: 'cpu' | 'webgpu', table: Readonly<Record<string, Bad[]>>): () => Given {
  let context: Context;
  let other: Context;
  let given: Given;
  let counts: Counts | null = null;
  beforeAll(async () => {
    [context, other] = [await createContext({ backend }), await createContext({ backend })];
    if (context.device) counts = countCalls(context.device);
    const numbers = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const gone = context.tensor(numbers);
    gone.dispose();
    given = {
      x: context.tensor(numbers),
      half: context.tensor(numbers, undefined, { dtype: 'float16' }),
      integers: context.tensor(numbers, undefined, { dtype: 'int32' }),
      scalar: context.tensor(1),
      empty: context.tensor([[], []]),
      weight: context.tensor(new Float32Array(12), [4, 3]),
      targets: context.tensor(Int32Array.of(0, 1)),
      floats: context.tensor([0, 1]),
      gone,
      theirs: other.tensor(numbers),
      theirTargets: other.tensor(Int32Array.of(0, 1)),
    };
    await context.finished();
  });
  afterAll(() => {
    context.dispose();
    other.dispose();
  });

  describe.each(Object.entries(table))('%s refuses', (_, bad) => {
    it.each(bad.map(([call, kind, message]) => [message, call, kind] as const))('%s', (message, call, kind) => {
      const before = { ...counts, ...context.memory() };
      let error: unknown;
      try {
        call(given);
      } catch (thrown) {
        error = thrown;
      }
      expect((error as Error)?.message).toBe(message);
      expect((error as Error).constructor).toBe(kind);
      expect((error as Error).name).toBe(kind.name);
      expect({ ...counts, ...context.memory() }).toEqual(before);
    });
  });

  return () => given;
}
