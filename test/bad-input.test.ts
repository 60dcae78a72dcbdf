// What every operation but crossEntropy and the other losses refuses: the class of each error, its words, and that nothing was
// allocated for it.
import { describe } from 'vitest';
import {
  argmax,
  argmin,
  DisposedError,
  linear,
  logSoftmax,
  logSumExp,
  ShapeError,
  sigmoid,
  softmax,
  topK,
} from '../src/index.ts';
import {
  any,
  type Bad,
  type Call,
  itRefuses,
  type Kind,
  refusedAxes,
  refusedByAll,
  refusedTemperatures,
  unknown,
} from './support/refusals.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

const top =
  (k: unknown): Call =>
  (x, options) =>
    topK(x, any(k), any(options));
const refusedK = (k: unknown, kind: Kind, got = String(k)): Bad => [
  ({ x }) => topK(x, any(k)),
  kind,
  `topK: "k" must be an integer from 1 to 3, got ${got}`,
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
      'linear: unknown option "biases"; it takes bias, scales, out',
    ],
    [
      ({ scalar, weight }) => linear(scalar, weight),
      ShapeError,
      'linear: "features" must have shape [..., D], got a scalar',
    ],
    [({ x }) => linear(x, any([[1, 2, 3]])), TypeError, 'linear: "weight" must be a Tensor, got [[1, 2, 3]]'],
    [({ x, gone }) => linear(x, gone), DisposedError, 'linear: the tensor "weight" was disposed'],
    [({ x, theirs }) => linear(x, theirs), TypeError, 'linear: "weight" is a tensor of another context'],
    [
      ({ x, integers }) => linear(x, integers),
      TypeError,
      'linear: "weight" must be float32 or float16 or int8, got int32',
    ],
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
};

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  itRefuses(backend, table);
});
