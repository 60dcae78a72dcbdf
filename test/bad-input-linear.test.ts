// What the linear head whose logits are never stored refuses: the class of each error, its words, and that nothing was allocated for it.
import { describe } from 'vitest';
import { DisposedError, infoNCE, linearCrossEntropy, linearTopK, ShapeError } from '../src/index.ts';
import {
  any,
  type Bad,
  type Call,
  itRefuses,
  type Kind,
  refusedByAll,
  refusedTemperatures,
  unknown,
} from './support/refusals.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const soft = new Float32Array(8); // [2, 4]

/** Operands that three operations share: features [2, 3], and `of`, which should be of shape [4, 3]. */
const refusedWeights = (fn: string, call: (x: never, weight: never, options?: object) => unknown): Bad[] => {
  const name = `${fn}: "weight"`;
  const ones = new Float32Array(4);
  return [
    ...refusedByAll(fn, (x, options) => call(any(x), any(x), options), 'features'),
    [
      ({ scalar, weight }) => call(any(scalar), any(weight)),
      ShapeError,
      `${fn}: "features" must have shape [..., D], got a scalar`,
    ],
    [({ x }) => call(any(x), any([])), TypeError, `${name} must be a Tensor, got []`],
    [({ x }) => call(any(x), any(ones)), TypeError, `${name} must be a Tensor, got Float32Array`],
    [({ x, gone }) => call(any(x), any(gone)), DisposedError, `${fn}: the tensor "weight" was disposed`],
    [
      ({ x, weight, gone }) => call(any(x), any([weight, gone])),
      DisposedError,
      `${fn}: the tensor "weight" was disposed`,
    ],
    [({ x, theirs }) => call(any(x), any(theirs)), TypeError, `${name} is a tensor of another context`],
    [
      ({ x, integers }) => call(any(x), any(integers)),
      TypeError,
      `${name} must be float32 or float16 or int8, got int32`,
    ],
    [({ x, floats }) => call(any(x), any(floats)), ShapeError, `${name} must have shape [C, D], got [2]`],
    [
      ({ x, empty }) => call(any(x), any(empty)),
      ShapeError,
      `${name} must have shape [2, 3], the features being [..., D], got [2, 0]`,
    ],
    [
      ({ x, weight }) => call(any(x), any(weight), { bias: [1, 2, 3] }),
      ShapeError,
      `${fn}: "bias" must have shape [4], got [3]`,
    ],
    [
      ({ x, weight, integers }) => call(any(x), any(weight), { bias: integers }),
      TypeError,
      `${fn}: "bias" must be float32, got int32`,
    ],
    [
      ({ x, weight }) => call(any(x), any(weight), { scales: ones }),
      TypeError,
      `${fn}: "scales" needs an int8 weight, got Float32Array`,
    ],
  ];
};

const lossOf = (x: never, weight: never, options?: object) => linearCrossEntropy(x, weight, [0, 1], any(options));
/** Of one option, with operands that are right. */
const withIts = (options: object, kind: Kind, message: string, targets: unknown = [0, 1]): Bad => [
  ({ x, weight }) => linearCrossEntropy(x, weight, any(targets), any(options)),
  kind,
  `linearCrossEntropy: ${message}`,
];
const ofTargets = (targets: unknown, kind: Kind, message: string): Bad =>
  withIts({}, kind, `"targets" ${message}`, targets);
const three = 'must be true, false or a list of features, weight, got';
const best: Call = (x, options) => linearTopK(x, x, 1, any(options));
const nce: Call = (x, options) => infoNCE(x, x, any(options));

const table: Record<string, Bad[]> = {
  linearCrossEntropy: [
    ...refusedWeights('linearCrossEntropy', lossOf),
    ...refusedTemperatures('linearCrossEntropy', (x, options) => lossOf(any(x), any(x), options)),
    ofTargets([0, 4], RangeError, 'must be classes from 0 to 3, or -100 to be ignored, got 4 in row 1'),
    ofTargets([0, -1], RangeError, 'must be classes from 0 to 3, or -100 to be ignored, got -1 in row 1'),
    ofTargets([0, 0.5], TypeError, 'must hold integers of int32, got 0.5 at element 1'),
    ofTargets([0, 1, 2], ShapeError, 'must have shape [2], one target a row, got [3]'),
    ofTargets(new Float32Array(2), TypeError, 'must be class indices (int32), got Float32Array'),
    ofTargets('01', TypeError, 'must be a typed array or numbers in arrays, got "01"'),
    withIts({ ignoreIndex: null }, RangeError, '"targets" must be classes from 0 to 3, got -100 in row 0', [-100, 0]),
    withIts({ ignoreIndex: 0.5 }, RangeError, '"ignoreIndex" must be an integer of int32, or null, got 0.5'),
    withIts({ ignoreIndex: 0 }, TypeError, '"ignoreIndex" cannot be given with soft targets', soft),
    [
      ({ x, weight, floats }) => linearCrossEntropy(x, weight, floats),
      TypeError,
      'linearCrossEntropy: "targets" must be class indices (int32), got a float32 tensor',
    ],
    [
      ({ x, weight, theirTargets }) => linearCrossEntropy(x, weight, theirTargets),
      TypeError,
      'linearCrossEntropy: "targets" is a tensor of another context',
    ],
    withIts({ targetGradient: true }, TypeError, '"targetGradient" needs soft targets, got class indices'),
    withIts({ targetGradient: 1 }, TypeError, '"targetGradient" must be true or false, got 1', soft),
    withIts({ metrics: 1 }, TypeError, '"metrics" must be true or false, got 1'),
    withIts({ validate: 'yes' }, TypeError, '"validate" must be true or false, got "yes"'),
    withIts({ gradients: 1 }, TypeError, '"gradients" must be true or false, got 1'),
    withIts({ gradients: ['bias'] }, TypeError, `"gradients" ${three} "bias"`), // there is none
    withIts({ gradients: ['weights'] }, TypeError, `"gradients" ${three} "weights"`),
    withIts({ reduction: 'avg' }, TypeError, '"reduction" must be "none", "mean" or "sum", got "avg"'),
    withIts({ labelSmoothing: 1.1 }, RangeError, '"labelSmoothing" must be a number from 0 to 1, got 1.1'),
    withIts({ labelSmoothing: nan }, RangeError, '"labelSmoothing" must be a number from 0 to 1, got NaN'),
    withIts({ zLoss: inf }, RangeError, '"zLoss" must be a finite number from 0, got Infinity'),
    withIts({ softcap: 0 }, RangeError, '"softcap" must be a positive finite number, got 0'),
    withIts({ classWeights: [1, 2, 3] }, ShapeError, '"classWeights" must have shape [4], one a class, got [3]'),
    withIts({ sampleWeights: [1, 2, 3] }, ShapeError, '"sampleWeights" must have shape [2], one a row, got [3]'),
    withIts({ upstream: [1, 2] }, ShapeError, '"upstream" must have shape [], as the loss has, got [2]'),
    unknown(
      'linearCrossEntropy',
      (x, options) => lossOf(any(x), any(x), options),
      'bias, scales, gradients, reduction, upstream, sampleWeights, classWeights, ignoreIndex, labelSmoothing, zLoss, softcap, temperature, targetGradient, metrics, validate',
    ),
  ],
  linearTopK: [
    ...refusedWeights('linearTopK', (x, weight, options) => linearTopK(x, weight, 1, any(options))),
    ...refusedTemperatures('linearTopK', best),
    ...[0, 5, 1.5, nan, undefined, '1'].map(
      (k): Bad => [
        ({ x, weight }) => linearTopK(x, weight, any(k)),
        typeof k === 'number' ? RangeError : TypeError,
        `linearTopK: "k" must be an integer from 1 to 4, got ${typeof k === 'string' ? '"1"' : k}`,
      ],
    ),
    [
      ({ x }) => best(x, { activation: 'relu' }),
      TypeError,
      'linearTopK: "activation" must be "softmax", "sigmoid" or "none", got "relu"',
    ],
    unknown('linearTopK', best, 'bias, scales, temperature, activation'),
  ],
  infoNCE: [
    ...refusedByAll('infoNCE', nce, 'queries'),
    ...refusedTemperatures('infoNCE', nce),
    [({ x }) => infoNCE(x, any([1])), TypeError, 'infoNCE: "keys" must be a Tensor, got [1]'],
    [({ x, gone }) => infoNCE(x, gone), DisposedError, 'infoNCE: the tensor "keys" was disposed'],
    [({ x, theirs }) => infoNCE(x, theirs), TypeError, 'infoNCE: "keys" is a tensor of another context'],
    [
      ({ x, weight }) => infoNCE(x, weight),
      ShapeError,
      'infoNCE: "keys" must have shape [2, 3], as "queries" has, got [4, 3]',
    ],
    [({ x }) => nce(x, { gradient: 1 }), TypeError, 'infoNCE: "gradient" must be true or false, got 1'],
    [
      ({ x }) => nce(x, { reduction: 'avg' }),
      TypeError,
      'infoNCE: "reduction" must be "none", "mean" or "sum", got "avg"',
    ],
    [
      ({ x }) => nce(x, { sampleWeights: [1] }),
      ShapeError,
      'infoNCE: "sampleWeights" must have shape [2], one a row, got [1]',
    ],
    unknown('infoNCE', nce, 'reduction, gradient, upstream, sampleWeights, temperature'),
  ],
};

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  itRefuses(backend, table);
});
