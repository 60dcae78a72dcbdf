// What the operations of a linear head refuse: the class of each error, its words, and that nothing was allocated for it.
import { describe } from 'vitest';
import { DisposedError, infoNCE, linearCrossEntropy, linearTopK, quantizeRows, ShapeError } from '../src/index.ts';
import {
  any,
  type Bad,
  type Given,
  itRefuses,
  type Kind,
  refusedByAll,
  refusedTemperatures,
  unknown,
} from './support/refusals.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Operands stand for each other here: features [2, 3], a weight [4, 3], two targets. */
const refusal =
  (fn: string, call: (given: Given, options: object) => unknown) =>
  (options: unknown, kind: Kind, message: string): Bad => [
    (given) => call(given, any(typeof options === 'function' ? options(given) : options)),
    kind,
    `${fn}: ${message}`,
  ];
const loss = refusal('linearCrossEntropy', ({ x, weight }, options) => linearCrossEntropy(x, weight, [0, 3], options));
const best = refusal('linearTopK', ({ x, weight }, options) => linearTopK(x, weight, 2, options));

/** What all of them refuse of their operands. */
const operands = (fn: string, call: (x: never, weight: never, options?: object) => unknown, name = 'weight'): Bad[] => [
  [({ x }) => call(any(x), any(undefined)), TypeError, `${fn}: "${name}" must be a Tensor, got undefined`],
  [
    ({ x, integers }) => call(any(x), any(integers)),
    TypeError,
    `${fn}: "${name}" must be float32 or float16 or int8, got int32`,
  ],
  [({ x, floats }) => call(any(x), any(floats)), ShapeError, `${fn}: "${name}" must have shape [C, D], got [2]`],
  [({ x, gone }) => call(any(x), any(gone)), DisposedError, `${fn}: the tensor "${name}" was disposed`],
  [({ x, theirs }) => call(any(x), any(theirs)), TypeError, `${fn}: "${name}" is a tensor of another context`],
  [
    ({ scalar, weight }) => call(any(scalar), any(weight)),
    ShapeError,
    `${fn}: "${name === 'keys' ? 'queries' : 'features'}" must have shape [..., D], got a scalar`,
  ],
];

const table: Record<string, Bad[]> = {
  linearCrossEntropy: [
    ...refusedByAll(
      'linearCrossEntropy',
      (x, options) => linearCrossEntropy(x, any(x), any([0, 0]), options),
      'features',
    ),
    ...operands('linearCrossEntropy', (x, weight) => linearCrossEntropy(x, weight, [0, 3])),
    ...refusedTemperatures('linearCrossEntropy', (x, options) => linearCrossEntropy(x, x, [0, 1], options)),
    [
      ({ floats, weight }) => linearCrossEntropy(floats, weight, [0]),
      ShapeError,
      'linearCrossEntropy: "weight" must have shape [4, 2], the features being [..., D], got [4, 3]',
    ],
    loss(
      { axis: 1 },
      TypeError,
      'unknown option "axis"; it takes bias, scales, gradients, reduction, upstream, sampleWeights, classWeights, ignoreIndex, labelSmoothing, zLoss, softcap, temperature, metrics, validate',
    ),
    loss({ reduction: 'avg' }, TypeError, '"reduction" must be "none", "mean" or "sum", got "avg"'),
    loss({ gradients: 1 }, TypeError, '"gradients" must be true or false, got 1'),
    loss(
      { gradients: ['logits'] },
      TypeError,
      '"gradients" must be true, false or a list of features, weight, got "logits"',
    ),
    loss(
      { gradients: ['bias'] },
      TypeError,
      '"gradients" must be true, false or a list of features, weight, got "bias"',
    ),
    loss({ bias: [1] }, ShapeError, '"bias" must have shape [4], got [1]'),
    loss({ scales: [1, 1, 1, 1] }, TypeError, '"scales" needs an int8 weight, got [1, 1, 1, 1]'),
    loss({ metrics: 1 }, TypeError, '"metrics" must be true or false, got 1'),
    loss({ validate: 'no' }, TypeError, '"validate" must be true or false, got "no"'),
    loss({ ignoreIndex: 0.5 }, RangeError, '"ignoreIndex" must be an integer of int32, or null, got 0.5'),
    loss({ labelSmoothing: 1.5 }, RangeError, '"labelSmoothing" must be a number from 0 to 1, got 1.5'),
    loss({ zLoss: inf }, RangeError, '"zLoss" must be a finite number from 0, got Infinity'),
    loss({ softcap: 0 }, RangeError, '"softcap" must be a positive finite number, got 0'),
    loss({ classWeights: [1, 2, 3] }, ShapeError, '"classWeights" must have shape [4], one a class, got [3]'),
    loss({ sampleWeights: [1, 2, 3] }, ShapeError, '"sampleWeights" must have shape [2], one a row, got [3]'),
    loss({ upstream: [1, 2] }, ShapeError, '"upstream" must have shape [], as the loss has, got [2]'),
    loss(({ half }: Given) => ({ classWeights: half }), TypeError, '"classWeights" must be float32, got float16'),
    loss(({ gone }: Given) => ({ sampleWeights: gone }), DisposedError, 'the tensor "sampleWeights" was disposed'),
    loss(({ theirs }: Given) => ({ upstream: theirs }), TypeError, '"upstream" is a tensor of another context'),
    ...(
      [
        [[0, 4], RangeError, 'must be classes from 0 to 3, or -100 to be ignored, got 4 in row 1'],
        [[0, 1, 2], ShapeError, 'must have shape [2], one target a row, got [3]'],
        [[0, nan], TypeError, 'must hold integers of int32, got NaN at element 1'],
        [new Float32Array(2), TypeError, 'must be class indices (int32), got Float32Array'],
      ] as const
    ).map(
      ([targets, kind, message]): Bad => [
        ({ x, weight }) => linearCrossEntropy(x, weight, any(targets)),
        kind,
        `linearCrossEntropy: "targets" ${message}`,
      ],
    ),
    [
      ({ x, weight }) => linearCrossEntropy(x, weight, any(new Float32Array(8)), { ignoreIndex: 0 }),
      TypeError,
      'linearCrossEntropy: "ignoreIndex" cannot be given with soft targets',
    ],
  ],
  linearTopK: [
    ...refusedByAll('linearTopK', (x, options) => linearTopK(x, any(x), 1, options), 'features'),
    ...operands('linearTopK', (x, weight) => linearTopK(x, weight, 1)),
    ...refusedTemperatures('linearTopK', (x, options) => linearTopK(x, x, 1, options)),
    best({ activation: 'tanh' }, TypeError, '"activation" must be "softmax", "sigmoid" or "none", got "tanh"'),
    best({ bias: [1] }, ShapeError, '"bias" must have shape [4], got [1]'),
    ...([0, 5, 1.5] as const).map(
      (k): Bad => [
        ({ x, weight }) => linearTopK(x, weight, k),
        RangeError,
        `linearTopK: "k" must be an integer from 1 to 4, got ${k}`,
      ],
    ),
    [
      ({ x, weight }) => linearTopK(x, weight, any(undefined)),
      TypeError,
      'linearTopK: "k" must be an integer from 1 to 4, got undefined',
    ],
  ],
  infoNCE: [
    ...refusedByAll('infoNCE', (x, options) => infoNCE(x, any(x), options), 'queries'),
    ...refusedTemperatures('infoNCE', (x, options) => infoNCE(x, x, options)),
    [
      ({ x, weight }) => infoNCE(x, weight),
      ShapeError,
      'infoNCE: "keys" must have shape [2, 3], as "queries" has, got [4, 3]',
    ],
    unknown(
      'infoNCE',
      (x, options) => infoNCE(x, x, options),
      'reduction, gradient, upstream, sampleWeights, temperature',
    ),
  ],
  quantizeRows: [
    [({ floats }) => quantizeRows(floats), ShapeError, 'quantizeRows: "weight" must have shape [C, D], got [2]'],
    [
      ({ empty }) => quantizeRows(empty),
      RangeError,
      'quantizeRows: the rows of "weight" are empty, its shape is [2, 0]',
    ],
    [
      ({ integers }) => quantizeRows(integers),
      TypeError,
      'quantizeRows: "weight" must be float32 or float16, got int32',
    ],
  ],
};

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  itRefuses(backend, table);
});
