// What crossEntropy refuses: the class of each error, its words, and that nothing was allocated for it.
import { describe, expect, it } from 'vitest';
import { crossEntropy, DisposedError, ShapeError } from '../src/index.ts';
import {
  any,
  type Bad,
  type Call,
  itRefuses,
  type Kind,
  refusedAxes,
  refusedByAll,
  refusedTemperatures,
} from './support/refusals.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

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
  const given = itRefuses(backend, table);

  it('crossEntropy refuses weights that are null or 0', () => {
    for (const name of ['classWeights', 'sampleWeights']) {
      expect(() => ce(given().x, { [name]: null })).toThrow(
        `"${name}" must be a typed array or numbers in arrays, got null`,
      );
      expect(() => ce(given().x, { [name]: 0 })).toThrow(ShapeError);
    }
  });
});
