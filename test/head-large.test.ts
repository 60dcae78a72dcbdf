// Heads of so many classes that logits are not stored, or not kept.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calibrated } from '../src/head/calibrate.ts';
import { examplesOf } from '../src/head/examples.ts';
import { ClassificationHead, type Context, createContext, sgd } from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { normal } from './support/random.ts';

/** Past 2^22 logits, of which one row's are far from them. */
const [rows, depth, classes] = [5, 2, 1_000_000];

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  let head: ClassificationHead;
  const features = normal(rows * depth, { sigma: 3, seed: 1 });
  const labels = Array.from({ length: classes }, (_, c) => `${c}`);
  beforeAll(async () => {
    context = await createContext({ backend });
    const weight = normal(1000, { seed: 2 });
    const repeated = Float32Array.from({ length: classes * depth }, (_, i) => weight[i % 1000] + i / (classes * depth));
    head = ClassificationHead.fromWeights(context, { weight: context.tensor(repeated, [classes, depth]), labels });
  });
  afterAll(() => context.dispose());

  test('predict and fit make no logits, and say what is said of logits that are stored', async () => {
    await context.finished();
    const before = context.memory().bytesAllocated;
    const found = await head.predict(features, { topK: 9, temperature: 2, threshold: 1e-6 });
    if (backend === 'webgpu') expect(context.memory().bytesAllocated - before).toBeLessThan(rows * classes);
    for (let r = 0; r < rows; r++) {
      const row = features.subarray(r * depth, (r + 1) * depth);
      const [alone] = await head.predict(row, { topK: 9, temperature: 2, threshold: 1e-6 });
      expect(found[r].map(({ index }) => index)).toEqual(alone.map(({ index }) => index));
      expectClose(
        found[r].map(({ score }) => score),
        alone.map(({ score }) => score),
        { relative: 4e-6 },
      );
    }
    const targets = Int32Array.of(3, 900_000, -100, 17, 500_000);
    const kept = await head.weight.data();
    const trained = ClassificationHead.fromWeights(context, { weight: context.tensor(kept, [classes, depth]) });
    await trained.fit(features, targets, { epochs: 1, optimizer: sgd({ learningRate: 1 }), batchSize: rows });
    const whole = await trained.weight.data();
    trained.weight.dispose();
    const moved = [3, 900_000, 17, 500_000].flatMap((c) => [2 * c, 2 * c + 1]).map((i) => whole[i] - kept[i]);
    // A step of 1: each target's row moves by its features' share, less what its score was.
    const mean = (r: number) => [features[2 * r] / 4, features[2 * r + 1] / 4];
    expectClose(moved, [0, 1, 3, 4].flatMap(mean), { absolute: 2e-4 });
  });
});

test('calibrate comes to the same where logits are not kept', async () => {
  const context = await createContext({ backend: 'cpu' });
  const head = ClassificationHead.fromWeights(context, {
    weight: [
      [1, 0.5],
      [-1, 2],
      [0.25, -1],
    ],
  });
  const x = normal(40, { sigma: 3, seed: 3 });
  const examples = examplesOf(
    'calibrate',
    head,
    context.tensor(x, [20, 2]),
    Int32Array.from({ length: 20 }, (_, r) => r % 3),
  );
  const found = await calibrated('calibrate', head, examples);
  expect(found.temperature).toBeGreaterThan(1);
  expect(await calibrated('calibrate', head, examples, 0)).toEqual(found);
  context.dispose();
});
