// Every derivative of the losses without a class axis against central differences, in float64: of the CPU twins, which the kernels are
// held to elsewhere.
import { describe, expect, it } from 'vitest';
import type { Values } from '../src/backend.ts';
import { binaryCrossEntropyElement } from '../src/cpu/binary-cross-entropy.ts';
import { contrastiveRows } from '../src/cpu/contrastive-loss.ts';
import { cosineEmbeddingRows } from '../src/cpu/cosine-embedding-loss.ts';
import type { ElementLoss } from '../src/cpu/element-loss.ts';
import type { EmbeddingLossArrays } from '../src/cpu/embedding-loss.ts';
import { hingeEmbeddingElement } from '../src/cpu/hinge-embedding-loss.ts';
import { hingeElement } from '../src/cpu/hinge-loss.ts';
import { klDivElement } from '../src/cpu/kl-div-loss.ts';
import { marginRankingRows } from '../src/cpu/margin-ranking-loss.ts';
import { squaredErrorElement } from '../src/cpu/mean-squared-error.ts';
import type { Reducing } from '../src/cpu/row-loss.ts';
import { sigmoidFocalElement } from '../src/cpu/sigmoid-focal-loss.ts';
import { tripletMarginRows } from '../src/cpu/triplet-margin-loss.ts';
import { type Rows, rowsOf } from '../src/rows.ts';
import { normal } from './support/random.ts';

const h = 1e-6;
const close = (actual: number, expected: number, what: string) =>
  expect(Math.abs(actual - expected), `${what}: ${actual}, by differences ${expected}`).toBeLessThan(
    1e-7 * Math.max(1, Math.abs(expected)),
  );

describe('of an element', () => {
  const soft = [0, 1, 0.3];
  const signs = [-1, 1];
  const losses: Record<string, { of: ElementLoss; targets: number[]; p?: number }> = {
    binaryCrossEntropy: { of: binaryCrossEntropyElement, targets: soft },
    'binaryCrossEntropy, posWeight': { of: binaryCrossEntropyElement, targets: soft, p: 2.5 },
    sigmoidFocalLoss: { of: sigmoidFocalElement(2, 0.25), targets: soft },
    'sigmoidFocalLoss, gamma 0.5, no alpha': { of: sigmoidFocalElement(0.5, -1), targets: soft },
    'sigmoidFocalLoss, gamma 0': { of: sigmoidFocalElement(0, 0.75), targets: soft },
    klDivLoss: { of: klDivElement(false), targets: soft },
    'klDivLoss, logTarget': { of: klDivElement(true), targets: [-0.5, -3, 0] },
    hingeLoss: { of: hingeElement(1, false), targets: signs },
    'hingeLoss, squared, margin 0.5': { of: hingeElement(0.5, true), targets: signs },
    hingeEmbeddingLoss: { of: hingeEmbeddingElement(1.25), targets: signs },
    meanSquaredError: { of: squaredErrorElement, targets: [0, -2.5, 1] },
  };

  it.each(Object.entries(losses))('%s', (_, { of, targets, p = 1 }) => {
    for (const t of targets) {
      for (const x of [-7.3, -2.1, -0.8, -0.01, 0, 0.02, 0.7, 1.9, 6.6]) {
        const expected = (of.loss(x + h, t, p) - of.loss(x - h, t, p)) / (2 * h);
        close(of.derivative(x, t, p), expected, `x ${x}, target ${t}`);
      }
    }
  });
});

describe('of embeddings', () => {
  type Run = (arrays: EmbeddingLossArrays, rows: Rows, reducing: Reducing) => void;
  const [count, features] = [6, 4];
  const rows = rowsOf([count, features], 1);
  const triplet = (options: object): Run => {
    const settings = { margin: 1, p: 2, eps: 1e-6, swap: false, ...options };
    return (arrays, rows, reducing) => tripletMarginRows(arrays, rows, settings, reducing);
  };
  const losses: Record<string, Run> = {
    tripletMarginLoss: triplet({ margin: 2 }),
    'tripletMarginLoss, swap': triplet({ margin: 2, swap: true }),
    'tripletMarginLoss, p 1': triplet({ margin: 4, p: 1 }),
    'tripletMarginLoss, p 2.5, eps 0.01': triplet({ p: 2.5, eps: 0.01, margin: 3 }),
    'tripletMarginLoss, p 0.75': triplet({ p: 0.75, margin: 30 }),
    contrastiveLoss: (arrays, rows, reducing) => contrastiveRows(arrays, rows, 3, reducing),
    cosineEmbeddingLoss: (arrays, rows, reducing) => cosineEmbeddingRows(arrays, rows, -0.5, reducing),
    marginRankingLoss: (arrays, _, reducing) =>
      marginRankingRows(arrays, rowsOf([count * features, 1], 1), 0.5, reducing),
  };

  it.each(Object.entries(losses))('%s', (name, run) => {
    // Plain numbers stand for what would be rounded to float32.
    const float64 = (values: ArrayLike<number>) => Float64Array.from(values) as unknown as Values;
    const size = count * features;
    const seeds = name.startsWith('triplet') ? [1, 2, 3] : [1, 2];
    const inputs = seeds.map((seed) => float64(normal(size, { seed })));
    const weights = float64([1, 0.5, 2, 1, 0, 1.5]);
    const targets = {
      signs: float64(Array.from({ length: size }, (_, r) => (r % 2 ? 1 : -1))),
      similar: float64([1, 0, 0, 1, 0, 0]),
    };
    const compute = () => {
      const gradients = inputs.map(() => float64(new Float64Array(size)));
      const [input, x2, x3] = inputs;
      const [gradient, x2Gradient, x3Gradient] = gradients;
      const results = { loss: float64([0]), gradient, x2Gradient, x3Gradient };
      const sampleWeights = name === 'marginRankingLoss' ? undefined : weights;
      const divisor = 6.5;
      run({ input, x2, x3, ...targets, sampleWeights, ...results }, rows, { none: false, divisor });
      return { loss: results.loss[0], gradients };
    };
    const { loss, gradients } = compute();
    expect(loss).toBeGreaterThan(0);
    inputs.forEach((input, n) => {
      for (let i = 0; i < size; i++) {
        const [x, derivative] = [input[i], gradients[n][i]];
        input[i] = x + h;
        const up = compute().loss;
        input[i] = x - h;
        close(derivative, (up - compute().loss) / (2 * h), `input ${n}, element ${i}`);
        input[i] = x;
      }
    });
  });
});
