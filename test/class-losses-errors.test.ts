// The losses with a class axis but crossEntropy, and the derivatives by logits: what they refuse.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Context,
  createContext,
  entropy,
  entropyGradient,
  jsDivergence,
  klDivergence,
  type LossResult,
  logSoftmaxGradient,
  logSumExpGradient,
  type nllLoss,
  ShapeError,
  softmaxGradient,
  type Tensor,
} from '../src/index.ts';
import { losses, ofIndices } from './support/class-losses.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const any = (value: unknown) => value as never;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  let x: Tensor;
  beforeAll(async () => {
    context = await createContext({ backend });
    x = context.tensor([
      [1, 2, 3],
      [0, -1, 0.5],
    ]);
  });
  afterAll(() => context.dispose());

  describe('refuse', () => {
    /** The error, and that nothing was made for the call. */
    const refuses = (call: () => unknown, kind: new (message: string) => Error, message: string) => {
      const before = context.memory();
      expect(call).toThrow(kind);
      expect(call).toThrow(message);
      expect(context.memory()).toEqual(before);
    };

    it.each(Object.entries(losses))('%s: options of all', (fn, call) => {
      refuses(() => call(x, { weight: 1 }), TypeError, `${fn}: unknown option "weight"`);
      refuses(() => call(any([1])), TypeError, `${fn}: "`);
      const choices = fn === 'klDivergence' ? '"none", "mean", "sum" or "batchmean"' : '"none", "mean" or "sum"';
      refuses(() => call(x, { reduction: 'avg' }), TypeError, `${fn}: "reduction" must be ${choices}, got "avg"`);
      refuses(() => call(x, { gradient: 1 }), TypeError, `${fn}: "gradient" must be true or false, got 1`);
      refuses(() => call(x, { axis: 2 }), RangeError, `${fn}: "axis" must be an integer from -2 to 1, got 2`);
      refuses(() => call(x, { sampleWeights: [1, 2, 3] }), ShapeError, `${fn}: "sampleWeights" must have shape [2]`);
      refuses(() => call(x, { upstream: [1, 2] }), ShapeError, `${fn}: "upstream" must have shape []`);
    });

    it.each(Object.entries(ofIndices))('%s: targets', async (name, loss) => {
      const call = loss as (x: Tensor, targets: Parameters<typeof nllLoss>[1], options?: object) => LossResult;
      refuses(() => call(x, [0, 3]), RangeError, `${name}: "targets" must be classes from 0 to 2`);
      refuses(() => call(x, [0, 1, 2]), ShapeError, `${name}: "targets" must have shape [2]`);
      refuses(() => call(x, new Float32Array(2)), TypeError, `${name}: "targets" must be class indices (int32)`);
      refuses(() => call(x, [0, 1], { validate: 1 }), TypeError, `${name}: "validate" must be true or false, got 1`);
      const bad = context.tensor([1, 7], [2], { dtype: 'int32' });
      const checked = async () => call(x, bad, { validate: true }).loss.data();
      await expect(checked()).rejects.toThrow(`${name}: "targets" must be classes from 0 to 2`);
    });

    it('gamma, alpha, p, margin, temperature, class weights, ignoreIndex: out of range or of the wrong kind', () => {
      for (const gamma of [-1, nan, inf, 1e39])
        refuses(() => losses.focalLoss(x, { gamma }), RangeError, 'focalLoss: "gamma" must be a finite number from 0');
      refuses(
        () => losses.focalLoss(x, { gamma: '2' }),
        TypeError,
        'focalLoss: "gamma" must be a finite number from 0',
      );
      refuses(
        () => losses.focalLoss(x, { alpha: [1, 2] }),
        ShapeError,
        'focalLoss: "alpha" must have shape [3], one a class',
      );
      refuses(() => losses.focalLoss(x, { alpha: 0.25 }), ShapeError, 'focalLoss: "alpha" must have shape [3]');
      refuses(() => losses.focalLoss(x, { ignoreIndex: 1 }), TypeError, 'focalLoss: unknown option "ignoreIndex"');
      for (const p of [0, 1.5, 3, nan])
        refuses(() => losses.multiMarginLoss(x, { p }), RangeError, `multiMarginLoss: "p" must be 1 or 2, got ${p}`);
      for (const margin of [nan, inf, 1e39])
        refuses(
          () => losses.multiMarginLoss(x, { margin }),
          RangeError,
          'multiMarginLoss: "margin" must be a finite number',
        );
      for (const fn of ['nllLoss', 'multiMarginLoss'])
        refuses(() => losses[fn](x, { classWeights: [1] }), ShapeError, `${fn}: "classWeights" must have shape [3]`);
      for (const temperature of [0, -1, nan, inf])
        refuses(
          () => losses.klDivergence(x, { temperature }),
          RangeError,
          'klDivergence: "temperature" must be a positive',
        );
      refuses(() => losses.nllLoss(x, { ignoreIndex: 0.5 }), RangeError, 'nllLoss: "ignoreIndex" must be an integer');
      refuses(() => losses.entropyLoss(x, { reduction: 'batchmean' }), TypeError, 'entropyLoss: "reduction" must be');
    });

    it('second inputs that do not fit', async () => {
      refuses(() => klDivergence(x, [1, 2]), ShapeError, 'klDivergence: "targetProbabilities" must have shape [2, 3]');
      const integers = context.tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        undefined,
        { dtype: 'int32' },
      );
      refuses(() => klDivergence(x, integers), TypeError, 'klDivergence: soft "targetProbabilities" must be float32');
      refuses(() => jsDivergence(x, any([1])), TypeError, 'jsDivergence: "logitsB" must be a Tensor');
      const half = context.tensor(new Float32Array(6), [2, 3], { dtype: 'float16' });
      refuses(() => jsDivergence(x, half), TypeError, 'jsDivergence: "logitsB" must be float32, got float16');
      const wide = context.tensor([[1, 2, 3, 4]]);
      refuses(
        () => jsDivergence(x, wide),
        ShapeError,
        'jsDivergence: "logitsB" must have shape [2, 3], as "logitsA" has',
      );
      refuses(
        () => losses.jsDivergence(x, { gradientOut: x }),
        TypeError,
        'jsDivergence: "gradientOut" cannot be given',
      );
      const elsewhere = await createContext({ backend: 'cpu' });
      const theirs = elsewhere.tensor(new Float32Array(6), [2, 3]);
      refuses(() => jsDivergence(x, theirs), TypeError, 'jsDivergence: "logitsB" is a tensor of another context');
      elsewhere.dispose();
    });

    it('operands of the derivatives that do not fit', () => {
      const rows = { entropyGradient, logSumExpGradient };
      const small = context.tensor([1]);
      for (const [fn, call] of Object.entries(rows)) {
        refuses(() => call(x, any(undefined)), TypeError, `${fn}: "upstream"`);
        refuses(() => call(x, [1, 2, 3]), ShapeError, `${fn}: "upstream" must have shape [2], one a row`);
        refuses(() => call(x, [1, 2], any({ temperature: 1 })), TypeError, `${fn}: unknown option "temperature"`);
        refuses(() => call(x, [1, 2], { out: small }), ShapeError, `${fn}: "out" must have shape`);
      }
      const matrices = { softmaxGradient, logSoftmaxGradient };
      for (const [fn, call] of Object.entries(matrices)) {
        refuses(() => call(x, any(undefined)), TypeError, `${fn}: "upstream"`);
        refuses(() => call(x, [1, 2]), ShapeError, `${fn}: "upstream" must have shape [2, 3]`);
        refuses(
          () => call(x, x, { temperature: 0 }),
          RangeError,
          `${fn}: "temperature" must be a positive finite number`,
        );
        refuses(() => call(x, x, any({ gamma: 1 })), TypeError, `${fn}: unknown option "gamma"`);
        refuses(() => call(any(1), x), TypeError, `${fn}: "`);
      }
      refuses(() => entropy(x, any({ temperature: 1 })), TypeError, 'entropy: unknown option "temperature"');
      refuses(() => entropy(x, { axis: 5 }), RangeError, 'entropy: "axis"');
    });
  });
});
