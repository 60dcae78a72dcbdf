// Elementwise losses: what they refuse, and targets that only the GPU can see.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  binaryCrossEntropy,
  type Context,
  createContext,
  hingeEmbeddingLoss,
  hingeLoss,
  klDivLoss,
  ShapeError,
  sigmoidFocalLoss,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { losses, ones } from './support/element-losses.ts';
import { errorOf } from './support/errors.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const any = (value: unknown) => value as never;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  describe('refuse, before anything is allocated', () => {
    const refuses = async (call: () => unknown, kind: new (message: string) => Error, message: string) => {
      const before = context.memory();
      const error = (await errorOf(call)) as Error;
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toBe(message);
      expect(context.memory()).toEqual(before);
    };

    it.each(Object.entries(losses))('%s', async (fn, loss) => {
      const x = context.tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const name =
        fn === 'hingeLoss' ? 'scores' : /^(hinge|mean)/.test(fn) ? 'x' : /^kl/.test(fn) ? 'logProbabilities' : 'logits';
      const integers = context.tensor(Int32Array.of(1, 2), [2]);
      const call = (options: object) => () => loss(x, any(ones(6)), any(options));
      const reductions = `"none", "mean"${fn === 'klDivLoss' ? ', "sum" or "batchmean"' : ' or "sum"'}`;
      await refuses(() => loss(any([1]), any([1])), TypeError, `${fn}: "${name}" must be a Tensor, got [1]`);
      await refuses(
        () => loss(integers, any([1, 1])),
        TypeError,
        `${fn}: "${name}" must be float32 or float16, got int32`,
      );
      await refuses(call({ reduction: 'avg' }), TypeError, `${fn}: "reduction" must be ${reductions}, got "avg"`);
      await refuses(call({ gradient: 1 }), TypeError, `${fn}: "gradient" must be true or false, got 1`);
      await refuses(
        call({ upstream: [1, 2] }),
        ShapeError,
        `${fn}: "upstream" must have shape [], as the loss has, got [2]`,
      );
      await refuses(call({ gradientOut: integers }), TypeError, `${fn}: "gradientOut" must be float32, got int32`);
      const unfit = `${fn}: "weights" of shape`;
      await refuses(call({ weights: [1, 2] }), ShapeError, `${unfit} [2] cannot be broadcast to [2, 3]`);
      await refuses(
        call({
          weights: [[1, 2, 3]].concat([
            [1, 2, 3],
            [1, 2, 3],
          ]),
        }),
        ShapeError,
        `${unfit} [3, 3] cannot be broadcast to [2, 3]`,
      );
      await refuses(call({ weights: [[[1, 2, 3]]] }), ShapeError, `${unfit} [1, 1, 3] cannot be broadcast to [2, 3]`);
      await refuses(
        call({ weights: 'x' }),
        TypeError,
        `${fn}: "weights" must be a typed array or numbers in arrays, got "x"`,
      );
      await refuses(
        call({ weights: null }),
        TypeError,
        `${fn}: "weights" must be a typed array or numbers in arrays, got null`,
      );
      await refuses(call({ weights: integers }), TypeError, `${fn}: "weights" must be float32, got int32`);
      await refuses(
        () => loss(x, any([1, 1])),
        ShapeError,
        `${fn}: "targets" must have shape [2, 3], one target an element, got [2]`,
      );
      await refuses(() => loss(x, any(integers)), TypeError, `${fn}: "targets" must be float32 or float16, got int32`);
      const error = (await errorOf(call({ sampleWeights: [1, 1] }))) as Error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain(`${fn}: unknown option "sampleWeights"; it takes reduction, gradient`);
    });

    it('options of their own', async () => {
      const x = context.tensor([1, 2]);
      const t = [1, 1];
      const finite = 'must be a finite number';
      for (const margin of [nan, inf]) {
        await refuses(() => hingeLoss(x, t, { margin }), RangeError, `hingeLoss: "margin" ${finite}, got ${margin}`);
        await refuses(
          () => hingeEmbeddingLoss(x, t, { margin }),
          RangeError,
          `hingeEmbeddingLoss: "margin" ${finite}, got ${margin}`,
        );
      }
      await refuses(() => hingeLoss(x, t, { margin: any('1') }), TypeError, `hingeLoss: "margin" ${finite}, got "1"`);
      await refuses(
        () => hingeLoss(x, t, { squared: any(2) }),
        TypeError,
        'hingeLoss: "squared" must be true or false, got 2',
      );
      await refuses(
        () => hingeLoss(x, t, { validate: any(2) }),
        TypeError,
        'hingeLoss: "validate" must be true or false, got 2',
      );
      for (const gamma of [-0.5, nan, inf])
        await refuses(
          () => sigmoidFocalLoss(x, t, { gamma }),
          RangeError,
          `sigmoidFocalLoss: "gamma" ${finite} from 0, got ${gamma}`,
        );
      for (const alpha of [1.5, nan, inf])
        await refuses(
          () => sigmoidFocalLoss(x, t, { alpha }),
          RangeError,
          `sigmoidFocalLoss: "alpha" must be a number to 1, negative or null for none, got ${alpha}`,
        );
      await refuses(
        () => klDivLoss(x, t, { logTarget: any(1) }),
        TypeError,
        'klDivLoss: "logTarget" must be true or false, got 1',
      );
      await refuses(
        () => binaryCrossEntropy(x, t, { posWeight: [1, 2, 3] }),
        ShapeError,
        'binaryCrossEntropy: "posWeight" of shape [3] cannot be broadcast to [2]',
      );
      await refuses(() => hingeLoss(x, [1, 0]), RangeError, 'hingeLoss: "targets" must be -1 or 1, got 0 at element 1');
      await refuses(
        () => hingeEmbeddingLoss(x, [nan, 2]),
        RangeError,
        'hingeEmbeddingLoss: "targets" must be -1 or 1, got NaN at element 0',
      );
    });
  });

  describe('targets in a tensor', () => {
    it.each([['hingeLoss', hingeLoss] as const, ['hingeEmbeddingLoss', hingeEmbeddingLoss] as const])(
      '%s: others than -1 and 1 give NaN there, or with validate a RangeError',
      async (fn, loss) => {
        const x = context.tensor([0.5, 0.5, 0.5, 0.5]);
        const t = context.tensor([1, 0, nan, -1]);
        const found = loss(x, t, { reduction: 'none', gradient: true });
        expectClose(await found.loss.data(), [0.5, nan, nan, fn === 'hingeLoss' ? 1.5 : 0.5]);
        expectClose(await found.gradient!.data(), fn === 'hingeLoss' ? [-1, nan, nan, 1] : [1, nan, nan, -1]);
        const error = await errorOf(async () => loss(x, t, { validate: true }).loss.data());
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toBe(`${fn}: "targets" must be -1 or 1, got 0 at element 1`);
      },
    );
  });
});
