// What is refused: the class of each error, its words, that nothing was allocated for it, and targets that only the GPU can see.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  argmax,
  argmin,
  type Context,
  createContext,
  crossEntropy,
  DisposedError,
  linear,
  logSoftmax,
  logSumExp,
  ShapeError,
  sigmoid,
  softmax,
  type Tensor,
  topK,
} from '../src/index.ts';
import { type Counts, countCalls } from './support/device.ts';
import { errorOf } from './support/errors.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Tensors that calls are made with; x is [2, 3]. */
interface Given {
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

type Kind = new (message: string) => Error;
/** [call, class of the error, message after the name of the function]; options and operands may be anything. */
type Bad = [(given: Given) => unknown, Kind, string];
type Call = (x: Tensor, options?: object) => unknown;

const any = (value: unknown) => value as never;

/** What every operation of one matrix refuses. */
function refusedByAll(fn: string, call: Call, name: string, dtypes = 'float32 or float16'): Bad[] {
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

function refusedAxes(fn: string, call: Call): Bad[] {
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

const refusedTemperatures = (fn: string, call: Call): Bad[] =>
  [0, -1, nan, inf, '1'].map((temperature) => [
    ({ x }) => call(x, { temperature }),
    typeof temperature === 'string' ? TypeError : RangeError,
    `${fn}: "temperature" must be a positive finite number, got ${JSON.stringify(temperature) === 'null' ? temperature : JSON.stringify(temperature)}`,
  ]);

const unknown = (fn: string, call: Call, takes: string): Bad => [
  ({ x }) => call(x, { dim: 1 }),
  TypeError,
  `${fn}: unknown option "dim"; it takes ${takes}`,
];

const top =
  (k: unknown): Call =>
  (x, options) =>
    topK(x, any(k), any(options));
const refusedK = (k: unknown, kind: Kind, got = String(k)): Bad => [
  ({ x }) => topK(x, any(k)),
  kind,
  `topK: "k" must be an integer from 1 to 3, got ${got}`,
];

const ce: Call = (x, options) => crossEntropy(x, [0, 1], any(options));
const refusedTargets = (targets: unknown, kind: Kind, message: string, options?: object): Bad => [
  ({ x }) => crossEntropy(x, any(targets), any(options)),
  kind,
  `crossEntropy: "targets" ${message}`,
];
const refusedUpstream = (upstream: unknown, kind: Kind, message: string, reduction = 'mean'): Bad => [
  ({ x }) => crossEntropy(x, [0, 1], any({ upstream, reduction })),
  kind,
  `crossEntropy: "upstream" ${message}`,
];

const table: Record<string, Bad[]> = {
  softmax: [
    ...refusedByAll('softmax', softmax, 'logits'),
    ...refusedAxes('softmax', softmax),
    ...refusedTemperatures('softmax', softmax),
    unknown('softmax', softmax, 'axis, temperature, out'),
  ],
  logSoftmax: [
    ...refusedByAll('logSoftmax', logSoftmax, 'logits'),
    ...refusedAxes('logSoftmax', logSoftmax),
    ...refusedTemperatures('logSoftmax', logSoftmax),
    unknown('logSoftmax', logSoftmax, 'axis, temperature, out'),
  ],
  logSumExp: [
    ...refusedByAll('logSumExp', logSumExp, 'logits'),
    ...refusedAxes('logSumExp', logSumExp),
    unknown('logSumExp', logSumExp, 'axis, out'),
  ],
  sigmoid: [
    ...refusedByAll('sigmoid', sigmoid, 'logits'),
    ...refusedTemperatures('sigmoid', sigmoid),
    unknown('sigmoid', sigmoid, 'temperature, out'),
  ],
  argmax: [
    ...refusedByAll('argmax', argmax, 'x', 'any'),
    ...refusedAxes('argmax', argmax),
    unknown('argmax', argmax, 'axis, out'),
  ],
  argmin: [
    ...refusedByAll('argmin', argmin, 'x', 'any'),
    ...refusedAxes('argmin', argmin),
    unknown('argmin', argmin, 'axis, out'),
  ],
  topK: [
    ...refusedByAll('topK', top(1), 'x', 'any'),
    ...refusedAxes('topK', top(1)),
    unknown('topK', top(1), 'axis, out'),
    refusedK(0, RangeError),
    refusedK(4, RangeError),
    refusedK(-1, RangeError),
    refusedK(1.5, RangeError),
    refusedK(nan, RangeError),
    refusedK(inf, RangeError),
    refusedK(2 ** 32 + 1, RangeError), // 1, if it were cut to 32 bits
    refusedK(undefined, TypeError),
    refusedK(null, TypeError),
    refusedK('1', TypeError, '"1"'),
    refusedK({ axis: 0 }, TypeError, 'Object'),
    [({ x }) => topK(x, 3, { axis: 0 }), RangeError, 'topK: "k" must be an integer from 1 to 2, got 3'],
  ],
  linear: [
    ...refusedByAll('linear', (x, options) => linear(x, x, any(options)), 'features'),
    [
      ({ x, weight }) => linear(x, weight, any({ biases: [1] })),
      TypeError,
      'linear: unknown option "biases"; it takes bias, out',
    ],
    [
      ({ scalar, weight }) => linear(scalar, weight),
      ShapeError,
      'linear: "features" must have shape [..., D], got a scalar',
    ],
    [({ x }) => linear(x, any([[1, 2, 3]])), TypeError, 'linear: "weight" must be a Tensor, got [[1, 2, 3]]'],
    [({ x, gone }) => linear(x, gone), DisposedError, 'linear: the tensor "weight" was disposed'],
    [({ x, theirs }) => linear(x, theirs), TypeError, 'linear: "weight" is a tensor of another context'],
    [({ x, integers }) => linear(x, integers), TypeError, 'linear: "weight" must be float32 or float16, got int32'],
    [({ x, scalar }) => linear(x, scalar), ShapeError, 'linear: "weight" must have shape [C, D], got []'],
    [
      ({ x, empty }) => linear(x, empty),
      ShapeError,
      'linear: "weight" must have shape [2, 3], the features being [..., D], got [2, 0]',
    ],
    [
      ({ x, weight }) => linear(x, weight, { bias: [1, 2, 3] }),
      ShapeError,
      'linear: "bias" must have shape [4], got [3]',
    ],
    [({ x, weight }) => linear(x, weight, { bias: any(1) }), ShapeError, 'linear: "bias" must have shape [4], got [1]'],
    [
      ({ x, weight, theirs }) => linear(x, weight, { bias: theirs }),
      TypeError,
      'linear: "bias" is a tensor of another context',
    ],
    [
      ({ x, weight, gone }) => linear(x, weight, { bias: gone }),
      DisposedError,
      'linear: the tensor "bias" was disposed',
    ],
    [
      ({ x, weight, targets }) => linear(x, weight, { bias: targets }),
      TypeError,
      'linear: "bias" must be float32, got int32',
    ],
    [
      ({ x, weight }) => linear(x, weight, { bias: any('1234') }),
      TypeError,
      'linear: "bias" must be a typed array or numbers in arrays, got "1234"',
    ],
    [
      ({ x, weight, theirs }) => linear(x, weight, { out: theirs }),
      TypeError,
      'linear: "out" is a tensor of another context',
    ],
    [
      ({ x, weight }) => linear(x, weight, { out: weight }),
      ShapeError,
      'linear: "out" must have shape [2, 4], as its result has, got [4, 3]',
    ],
  ],
  crossEntropy: [
    ...refusedByAll('crossEntropy', ce, 'logits'),
    ...refusedAxes('crossEntropy', ce),
    [
      ({ x }) => ce(x, { reduction: 'avg' }),
      TypeError,
      'crossEntropy: "reduction" must be "none", "mean" or "sum", got "avg"',
    ],
    [
      ({ x }) => ce(x, { reduction: null }),
      TypeError,
      'crossEntropy: "reduction" must be "none", "mean" or "sum", got null',
    ],
    [({ x }) => ce(x, { gradient: 1 }), TypeError, 'crossEntropy: "gradient" must be true or false, got 1'],
    [({ x }) => ce(x, { validate: 'yes' }), TypeError, 'crossEntropy: "validate" must be true or false, got "yes"'],
    ...[0.5, 2 ** 31, -(2 ** 31) - 1, nan].map(
      (ignoreIndex): Bad => [
        ({ x }) => ce(x, { ignoreIndex }),
        RangeError,
        `crossEntropy: "ignoreIndex" must be an integer of int32, or null, got ${ignoreIndex}`,
      ],
    ),
    [
      ({ x }) => ce(x, { ignoreIndex: '0' }),
      TypeError,
      'crossEntropy: "ignoreIndex" must be an integer of int32, or null, got "0"',
    ],
    refusedTargets([0, 3], RangeError, 'must be classes from 0 to 2, or -100 to be ignored, got 3 in row 1'),
    refusedTargets([-1, 3], RangeError, 'must be classes from 0 to 2, or -100 to be ignored, got -1 in row 0'),
    refusedTargets(
      Int32Array.of(0, -101),
      RangeError,
      'must be classes from 0 to 2, or -100 to be ignored, got -101 in row 1',
    ),
    refusedTargets([-100, 0], RangeError, 'must be classes from 0 to 2, got -100 in row 0', { ignoreIndex: null }),
    refusedTargets([5, -100], RangeError, 'must be classes from 0 to 2, or 5 to be ignored, got -100 in row 1', {
      ignoreIndex: 5,
    }),
    refusedTargets([0, 2, 1], RangeError, 'must be classes from 0 to 1, or -100 to be ignored, got 2 in row 1', {
      axis: 0,
    }),
    refusedTargets([0, 1, 2], ShapeError, 'must have shape [2], one target a row, got [3]'),
    refusedTargets([[0, 1]], ShapeError, 'must have shape [2], one target a row, got [1, 2]'),
    refusedTargets(1, ShapeError, 'must have shape [2], one target a row, got [1]'),
    refusedTargets([0, 0.5], TypeError, 'must hold integers of int32, got 0.5 at element 1'),
    refusedTargets([nan, 0], TypeError, 'must hold integers of int32, got NaN at element 0'),
    refusedTargets([0, 2 ** 31], RangeError, 'must hold integers of int32, got 2147483648 at element 1'),
    refusedTargets(['0', '1'], TypeError, 'must hold numbers, got "0"'),
    refusedTargets([0, [1]], ShapeError, 'is ragged: its arrays do not all have the shape [2] of the first'),
    refusedTargets(undefined, TypeError, 'must be a typed array or numbers in arrays, got undefined'),
    refusedTargets('01', TypeError, 'must be a typed array or numbers in arrays, got "01"'),
    refusedTargets(new Float32Array(2), TypeError, 'must be class indices (int32), got Float32Array'),
    refusedTargets(new Float64Array(2), TypeError, 'must be class indices (int32), got Float64Array'),
    [
      ({ x, floats }) => crossEntropy(x, floats),
      TypeError,
      'crossEntropy: "targets" must be class indices (int32), got a float32 tensor',
    ],
    [
      ({ x, weight }) => crossEntropy(x, weight),
      ShapeError,
      'crossEntropy: "targets" must have shape [2], one target a row, got [4, 3]',
    ],
    [
      ({ x, integers }) => crossEntropy(x, integers),
      TypeError,
      'crossEntropy: soft "targets" must be float32 or float16, got a int32 tensor',
    ],
    [({ x, gone }) => crossEntropy(x, gone), DisposedError, 'crossEntropy: the tensor "targets" was disposed'],
    [({ x, theirs }) => crossEntropy(x, theirs), TypeError, 'crossEntropy: "targets" is a tensor of another context'],
    [
      ({ x, half }) => crossEntropy(x, half, { ignoreIndex: 0 }),
      TypeError,
      'crossEntropy: "ignoreIndex" cannot be given with soft targets',
    ],
    [
      ({ x }) => ce(x, { targetGradient: true }),
      TypeError,
      'crossEntropy: "targetGradient" needs soft targets, got class indices',
    ],
    [({ x }) => ce(x, { metrics: 1 }), TypeError, 'crossEntropy: "metrics" must be true or false, got 1'],
    ...[-0.1, 1.1, nan].map(
      (labelSmoothing): Bad => [
        ({ x }) => ce(x, { labelSmoothing }),
        RangeError,
        `crossEntropy: "labelSmoothing" must be a number from 0 to 1, got ${labelSmoothing}`,
      ],
    ),
    ...[-1, inf, nan].map(
      (zLoss): Bad => [
        ({ x }) => ce(x, { zLoss }),
        RangeError,
        `crossEntropy: "zLoss" must be a finite number from 0, got ${zLoss}`,
      ],
    ),
    ...[0, -30, inf].map(
      (softcap): Bad => [
        ({ x }) => ce(x, { softcap }),
        RangeError,
        `crossEntropy: "softcap" must be a positive finite number, got ${softcap}`,
      ],
    ),
    ...refusedTemperatures('crossEntropy', ce),
    ...(['classWeights', 'sampleWeights'] as const).flatMap((name): Bad[] => {
      const [shape, why] = name === 'classWeights' ? ['[3]', 'one a class'] : ['[2]', 'one a row'];
      const got = `crossEntropy: "${name}" must`;
      return [
        [({ x }) => ce(x, { [name]: [1, 2, 3, 4] }), ShapeError, `${got} have shape ${shape}, ${why}, got [4]`],
        [({ x }) => ce(x, { [name]: 2 }), ShapeError, `${got} have shape ${shape}, ${why}, got [1]`],
        [({ x }) => ce(x, { [name]: '12' }), TypeError, `${got} be a typed array or numbers in arrays, got "12"`],
        [({ x, half }) => ce(x, { [name]: half }), TypeError, `${got} be float32, got float16`],
        [
          ({ x, theirs }) => ce(x, { [name]: theirs }),
          TypeError,
          `crossEntropy: "${name}" is a tensor of another context`,
        ],
        [({ x, gone }) => ce(x, { [name]: gone }), DisposedError, `crossEntropy: the tensor "${name}" was disposed`],
      ];
    }),
    [
      ({ x }) => ce(x, { dim: 1 }),
      TypeError,
      'crossEntropy: unknown option "dim"; it takes axis, reduction, gradient, gradientOut, upstream, sampleWeights, classWeights, ignoreIndex, labelSmoothing, zLoss, softcap, temperature, targetGradient, metrics, validate',
    ],
    [
      ({ x, theirTargets }) => crossEntropy(x, theirTargets),
      TypeError,
      'crossEntropy: "targets" is a tensor of another context',
    ],
    refusedUpstream([1, 2], ShapeError, 'must have shape [], as the loss has, got [2]'),
    refusedUpstream([1, 2, 3], ShapeError, 'must have shape [2], as the loss has, got [3]', 'none'),
    refusedUpstream(1, ShapeError, 'must have shape [2], as the loss has, got [1]', 'none'),
    refusedUpstream([[1, 2]], ShapeError, 'must have shape [2], as the loss has, got [1, 2]', 'none'),
    refusedUpstream('1', TypeError, 'must be a typed array or numbers in arrays, got "1"'),
    refusedUpstream(null, TypeError, 'must be a typed array or numbers in arrays, got null'),
    [({ x, half }) => ce(x, { upstream: half }), TypeError, 'crossEntropy: "upstream" must be float32, got float16'],
    [
      ({ x }) => ce(x, { upstream: x }),
      ShapeError,
      'crossEntropy: "upstream" must have shape [], as the loss has, got [2, 3]',
    ],
    [({ x, gone }) => ce(x, { upstream: gone }), DisposedError, 'crossEntropy: the tensor "upstream" was disposed'],
    [
      ({ x, theirs }) => ce(x, { upstream: theirs }),
      TypeError,
      'crossEntropy: "upstream" is a tensor of another context',
    ],
    [
      ({ x, half }) => ce(x, { gradientOut: half }),
      TypeError,
      'crossEntropy: "gradientOut" must be float32, got float16',
    ],
    [
      ({ x, weight }) => ce(x, { gradientOut: weight }),
      ShapeError,
      'crossEntropy: "gradientOut" must have shape [2, 3], as its result has, got [4, 3]',
    ],
  ],
};

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
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

  it('crossEntropy refuses weights that are null or 0', () => {
    for (const name of ['classWeights', 'sampleWeights']) {
      expect(() => ce(given.x, { [name]: null })).toThrow(
        `"${name}" must be a typed array or numbers in arrays, got null`,
      );
      expect(() => ce(given.x, { [name]: 0 })).toThrow(ShapeError);
    }
  });

  describe('class indices in a tensor', () => {
    const logits = [
      [1, 2, 3],
      [3, 1, 0],
      [0, 0, 1],
      [2, 2, 2],
      [0, 5, 1],
    ];
    const rows = (values: ArrayLike<number>) =>
      Array.from({ length: 5 }, (_, r) => Array.from(values).slice(3 * r, 3 * r + 3));
    let x: Tensor;
    beforeEach(() => {
      x = context.tensor(logits);
    });

    it('that are no class give NaN in their rows, and nowhere else', async () => {
      // Far and just out of range, below 0, and one that is ignored.
      const targets = context.tensor(Int32Array.of(1, 3, -1, -100, 2 ** 31 - 1));
      const right = crossEntropy(x, [1, 0, 0, -100, 0], { reduction: 'none', gradient: true });
      const wrong = crossEntropy(x, targets, { reduction: 'none', gradient: true });
      const [losses, expected] = [await wrong.loss.data(), await right.loss.data()];
      expect(Array.from(losses)).toEqual([expected[0], nan, nan, 0, nan]);
      const [slopes, expectedSlopes] = [rows(await wrong.gradient!.data()), rows(await right.gradient!.data())];
      const nothing = [nan, nan, nan];
      expect(slopes).toEqual([expectedSlopes[0], nothing, nothing, [0, 0, 0], nothing]);
      expect(await crossEntropy(x, targets).loss.array()).toBeNaN();
      expect(await crossEntropy(x, targets, { reduction: 'sum' }).loss.array()).toBeNaN();
      await context.finished(); // none of it is an error
    });

    it('that are no class are found with `validate`', async () => {
      const targets = context.tensor(Int32Array.of(1, 0, 3, -100, 7));
      const message = 'crossEntropy: "targets" must be classes from 0 to 2, or -100 to be ignored, got 3 in row 2';
      const before = context.memory();
      if (backend === 'cpu') {
        expect(() => crossEntropy(x, targets, { validate: true, gradientOut: x })).toThrow(new RangeError(message));
        expect(context.memory()).toEqual(before);
        expect(await x.array()).toEqual(logits);
        return;
      }
      const { loss, gradient } = crossEntropy(x, targets, { validate: true, gradient: true });
      const derived = argmax(gradient!);
      for (const result of [loss, gradient!, derived, loss]) {
        const error = await errorOf(result.data());
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toBe(message);
      }
      expect(await x.array()).toEqual(logits); // which was only read
      await context.finished();
      void crossEntropy(x, targets, { validate: true });
      await expect(context.finished()).rejects.toThrow(new RangeError(message)); // where nobody reads
      await context.finished();
    });

    it('are checked as they were at the call', async () => {
      const targets = context.tensor(Int32Array.of(0, 1, 2, 5, 0));
      const { loss } = crossEntropy(x, targets, { validate: true, ignoreIndex: 5 });
      const bad = backend === 'webgpu' ? crossEntropy(x, targets, { validate: true }).loss : null;
      targets.dispose();
      for (let i = 0; i < 4; i++) context.tensor(Int32Array.of(9, 9, 9, 9, 9)); // one of them gets the buffer
      expect(await loss.array()).toBeGreaterThan(0);
      if (bad) await expect(bad.data()).rejects.toThrow('got 5 in row 3');
    });

    it('spoil a tensor that was given for the gradient only until it is written again', async () => {
      const bad = context.tensor(Int32Array.of(7, 0, 0, 0, 0));
      const gradientOut = context.tensor(logits);
      const expected = await crossEntropy(x, [2, 0, 0, 0, 0], { gradient: true }).gradient!.data();
      const failing = await errorOf(() => crossEntropy(x, bad, { validate: true, gradientOut }).loss.data());
      expect(failing).toBeInstanceOf(RangeError);
      crossEntropy(x, [2, 0, 0, 0, 0], { gradientOut });
      expect(await gradientOut.data()).toEqual(expected);
    });
  });
});
