// Weights that are no finite numbers, masses below 0, and distances at the end of float32: what each backend makes of them.
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  brierLoss,
  type Context,
  createContext,
  crossEntropy,
  focalLoss,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
  logSoftmax,
  marginRankingLoss,
  nllLoss,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { variants } from './support/contexts.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: masked } = Number;
const largest = 2 ** 128 - 2 ** 104;
const [near, far] = [Math.log1p(Math.exp(-1)), Math.log1p(Math.exp(2))]; // -log p of [1, 2] at 1, of [3, 1] at 1
const rows = [
  [1, 2],
  [3, 1],
];

describe.each(Object.entries(variants))('%s', (_, options) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext(options);
  });
  afterAll(() => context.dispose());

  const results = async (losses: { loss: unknown; gradient?: unknown }) => {
    const all = losses as Record<'loss' | 'gradient', { data(): Promise<Float32Array> }>;
    return { loss: await all.loss.data(), gradient: await all.gradient.data() };
  };
  const of = (logits: number[][], targets: number[] | number[][], rest: object) =>
    results(crossEntropy(context.tensor(logits), targets, { gradient: true, ...rest }));
  /** The same logits as a linear head's: features times the identity. */
  const ofHead = async (logits: number[][], targets: number[] | number[][], rest: LinearCrossEntropyOptions) => {
    const weight = context.tensor(logits[0].map((_, c) => logits[0].map((_, d) => Number(c === d))));
    const { loss, gradients } = linearCrossEntropy(context.tensor(logits), weight, targets, {
      gradients: ['features'],
      ...rest,
    });
    return { loss: await loss.data(), gradient: await gradients!.features!.data() };
  };

  it('a sample weight that is NaN makes its row NaN, and with it their sum and mean', async () => {
    const g = 1 - Math.exp(-near);
    for (const call of [of, ofHead]) {
      const none = await call(rows, [1, 1], { reduction: 'none', sampleWeights: [1, nan] });
      expectClose(none.loss, [near, nan], { relative: 2e-6 });
      expectClose(none.gradient, [g, -g, nan, nan], { relative: 2e-6 });
      const sum = await call(rows, [1, 1], { reduction: 'sum', sampleWeights: [1, nan] });
      expectClose(sum.loss, [nan], {});
      expectClose(sum.gradient, [g, -g, nan, nan], { relative: 2e-6 });
      const mean = await call(rows, [1, 1], { sampleWeights: [1, nan] });
      expectClose([...mean.loss, ...mean.gradient], [nan, nan, nan, nan, nan], {});
    }
    const x = context.tensor(rows);
    const others = [
      brierLoss(x, [1, 1], { gradient: true, sampleWeights: [1, nan] }),
      focalLoss(x, [1, 1], { gradient: true, sampleWeights: [1, nan] }),
    ];
    for (const losses of others) {
      const { loss, gradient } = await results(losses);
      expectClose([...loss, ...gradient], [nan, nan, nan, nan, nan], {});
    }
    const one = context.tensor([1]);
    const { loss, gradients } = marginRankingLoss(one, context.tensor([2]), [1], {
      gradient: true,
      sampleWeights: [nan],
    });
    expectClose([...(await loss.data()), ...(await gradients!.x1.data())], [nan, nan], {});
  });

  it('an infinite sample weight makes an infinite loss, and a mean that is none', async () => {
    const none = await of(rows, [1, 1], { reduction: 'none', sampleWeights: [1, infinity] });
    expectClose(none.loss, [near, infinity], { relative: 2e-6 });
    expectClose(none.gradient.slice(2), [infinity, masked], {});
    const mean = await of(rows, [1, 1], { sampleWeights: [1, infinity] });
    expectClose(mean.loss, [nan], {});
    expectClose(mean.gradient.slice(0, 3), [0, 0, nan], {});
  });

  it('of class weights, those matter that have some of the mass, and must be finite', async () => {
    for (const call of [of, ofHead]) {
      const kept = await call([[3, 1]], [1], { reduction: 'none', classWeights: [nan, 1] });
      const g = 1 - Math.exp(-far);
      expectClose(kept.loss, [far], { relative: 2e-6 });
      expectClose(kept.gradient, [g, -g], { relative: 2e-6 });
      for (const weight of [nan, infinity]) {
        const lost = await call([[3, 1]], [1], { reduction: 'none', classWeights: [1, weight] });
        expectClose([...lost.loss, ...lost.gradient], [nan, nan, nan], {});
      }
    }
    // So it is of soft labels, where PyTorch's 0 x NaN is NaN.
    for (const call of [of, ofHead]) {
      const lost = { reduction: 'none', classWeights: [1, nan] } as const;
      const [half, g] = [(far - 2) / 2, 1 - Math.exp(-far)];
      const kept = await call([[3, 1]], [[0.5, 0]], lost);
      expectClose(kept.loss, [half], { relative: 4e-6 });
      expectClose(kept.gradient, [(g - 1) / 2, (1 - g) / 2], { relative: 4e-6 });
      const smoothed = await call([[3, 1]], [[0.5, 0]], { ...lost, labelSmoothing: 0.1 });
      expectClose([...smoothed.loss, ...smoothed.gradient], [nan, nan, nan], {});
    }
    const { loss } = nllLoss(context.tensor([[-1, -2]]), [1], { reduction: 'none', classWeights: [1, nan] });
    expectClose(await loss.data(), [nan], {});
  });

  it('mass below 0 on a masked class makes the loss -Infinity; of both signs, NaN', async () => {
    const none = { reduction: 'none' };
    expectClose((await of([[1, masked, 3]], [[0.5, -0.5, 1]], none)).loss, [masked], {});
    expectClose((await of([[1, masked, 3]], [[0.5, 0.5, 1]], none)).loss, [infinity], {});
    const both = await of([[1, masked, masked]], [[0.5, -0.5, 1]], none);
    expectClose([...both.loss, ...both.gradient], [nan, nan, nan, nan], {});
    const negative = await of([[masked, 2]], [0], { ...none, classWeights: [-1, 1] });
    expectClose(negative.loss, [masked], {});
    expectClose(negative.gradient, [1, -1], {});
    const weight = context.tensor([[1], [0], [3]]);
    const bias = [0, masked, masked];
    const head = (labels: number[]) =>
      linearCrossEntropy(context.tensor([[1]]), weight, [labels], { bias, reduction: 'none' }).loss.data();
    expectClose(await head([0.5, -0.5, 0]), [masked], {});
    expectClose(await head([0.5, 0, 0.5]), [infinity], {});
    expectClose(await head([0.5, -0.5, 0.5]), [nan], {});
    const focal = focalLoss(context.tensor([[masked, 2]]), [0], { reduction: 'none', alpha: [-1, 1] });
    expectClose(await focal.loss.data(), [masked], {});
  });

  it('logits as far apart as float32 goes have finite losses', async () => {
    const logs = (row: number[], temperature = 1) => logSoftmax(context.tensor([row]), { temperature }).data();
    expectClose(await logs([3.4e38, 0]), [0, -3.4e38], { relative: 2e-7 });
    expectClose(await logs([largest, 0]), [0, -largest], { relative: 2e-7 });
    expectClose(await logs([largest, -largest]), [0, masked], {});
    expectClose(await logs([largest, -largest], 2), [0, -largest], { relative: 4e-7 });
    expectClose(await logs([largest, -largest], 8), [0, -largest / 4], { relative: 4e-7 });
    expectClose((await of([[largest, 0]], [1], { reduction: 'none' })).loss, [largest], { relative: 2e-7 });
    expectClose((await of([[largest, -largest]], [1], { reduction: 'none' })).loss, [infinity], {});
  });
});
