// Elementwise losses: numbers that are not finite, and elements that weigh nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  binaryCrossEntropy,
  type Context,
  createContext,
  hingeEmbeddingLoss,
  hingeLoss,
  klDivLoss,
  meanSquaredError,
  sigmoidFocalLoss,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { type Loss, losses } from './support/element-losses.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const any = (value: unknown) => value as never;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  describe('numbers that are not finite', () => {
    /** [input, target, loss, gradient] */
    type Case = [number, number, number, number];
    const cases: Record<string, [Loss, object, Case[]]> = {
      binaryCrossEntropy: [
        binaryCrossEntropy,
        {},
        [
          [inf, 1, 0, 0],
          [inf, 0, inf, 1],
          [inf, 0.25, inf, 0.75],
          [-inf, 0, 0, 0],
          [-inf, 1, inf, -1],
          [-inf, 0.25, inf, -0.25],
          [nan, 1, nan, nan],
          [0, nan, nan, nan],
          [0, inf, nan, nan],
          [3e38, 1, 0, 0],
          [3e38, 0, 3e38, 1],
          [-3e38, 1, 3e38, -1],
        ],
      ],
      sigmoidFocalLoss: [
        sigmoidFocalLoss,
        {},
        [
          [inf, 1, 0, 0],
          [inf, 0, inf, 0.75],
          [-inf, 0, 0, 0],
          [-inf, 1, inf, -0.25],
          [inf, 0.5, inf, 0.5 * 0.25 * 0.5],
          [nan, 0, nan, nan],
          [0, 1.5, nan, nan],
          [0, -0.5, nan, nan],
          [0, nan, nan, nan],
        ],
      ],
      'sigmoidFocalLoss, gamma 0, alpha 0': [
        sigmoidFocalLoss,
        { gamma: 0, alpha: 0 },
        [
          [-inf, 1, 0, 0], // it weighs nothing
          [inf, 0, inf, 1],
          [inf, 1, 0, 0],
        ],
      ],
      klDivLoss: [
        klDivLoss,
        {},
        [
          [-inf, 0, 0, 0],
          [-inf, 0.5, inf, -0.5],
          [inf, 0.5, -inf, -0.5],
          [-1, 0, 0, 0],
          [nan, 0, nan, nan],
          [-1, nan, nan, nan],
          [-1, -0.5, nan, nan],
          [-1, inf, nan, nan],
        ],
      ],
      'klDivLoss, logTarget': [
        klDivLoss,
        { logTarget: true },
        [
          [-inf, -inf, 0, 0],
          [-1, -inf, 0, 0],
          [-inf, 0, inf, -1],
          [-1, nan, nan, nan],
          [-1, inf, nan, nan],
          [nan, -inf, nan, nan],
        ],
      ],
      hingeLoss: [
        hingeLoss,
        {},
        [
          [inf, 1, 0, 0],
          [-inf, 1, inf, -1],
          [inf, -1, inf, 1],
          [nan, 1, nan, nan],
          [1, 1, 0, -1], // exactly at the margin
        ],
      ],
      'hingeLoss, squared': [
        hingeLoss,
        { squared: true },
        [
          [inf, 1, 0, 0],
          [-inf, 1, inf, -inf],
          [nan, -1, nan, nan],
        ],
      ],
      hingeEmbeddingLoss: [
        hingeEmbeddingLoss,
        {},
        [
          [inf, 1, inf, 1],
          [inf, -1, 0, 0],
          [-inf, -1, inf, -1],
          [nan, 1, nan, nan],
          [1, -1, 0, -1],
        ],
      ],
      meanSquaredError: [
        meanSquaredError,
        {},
        [
          [inf, 0, inf, inf],
          [0, inf, inf, -inf],
          [inf, inf, nan, nan],
          [inf, -inf, inf, inf],
          [nan, 0, nan, nan],
          [3e38, 0, inf, inf],
        ],
      ],
    };

    it.each(Object.entries(cases))('%s', async (_, [loss, options, list]) => {
      const x = context.tensor(Float32Array.from(list, ([x]) => x));
      const t = context.tensor(Float32Array.from(list, ([, t]) => t));
      const found = loss(x, any(t), any({ ...options, reduction: 'none', gradient: true }));
      const near = { relative: 1e-6 };
      expectClose(
        await found.loss.data(),
        list.map(([, , loss]) => loss),
        near,
        'loss',
      );
      expectClose(
        await found.gradient!.data(),
        list.map(([, , , gradient]) => gradient),
        near,
        'gradient',
      );
    });

    it.each(Object.entries(losses))('%s: an element that weighs 0 adds nothing, whatever it holds', async (_, loss) => {
      const x = context.tensor([nan, inf, 0.5, -inf]);
      const t = context.tensor([1, 1, 1, 1]);
      for (const reduction of ['mean', 'sum']) {
        const found = loss(x, any(t), any({ reduction, weights: [0, 0, 2, 0], gradient: true }));
        const alone = loss(context.tensor([0.5]), any([1]), any({ reduction: 'sum', weights: 2, gradient: true }));
        const by = reduction === 'mean' ? 4 : 1;
        expectClose(await found.loss.data(), [(await alone.loss.data())[0] / by], { ulp: 1 });
        expectClose(await found.gradient!.data(), [0, 0, (await alone.gradient!.data())[0] / by, 0], { ulp: 2 });
      }
    });

    it('NaN in one element makes the mean NaN, and no other gradient', async () => {
      const { loss, gradient } = binaryCrossEntropy(context.tensor([0, nan, 0]), [1, 1, 0], { gradient: true });
      expect(await loss.array()).toBeNaN();
      expectClose(await gradient!.data(), [-0.5 / 3, nan, 0.5 / 3], { relative: 1e-6 });
    });
  });
});
