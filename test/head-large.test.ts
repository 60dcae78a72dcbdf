// Heads of so many classes that logits are not stored.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClassificationHead, type Context, createContext, crossEntropy, linear, sgd } from '../src/index.ts';
import { linearGradient } from '../src/operations/linear-gradient.ts';
import { expectClose } from './support/close.ts';
import { normal } from './support/random.ts';

/** Past 2^22 logits, of which one row's are far from them. */
const [rows, depth, classes] = [45, 2, 100_000];

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  let head: ClassificationHead;
  const features = normal(rows * depth, { sigma: 3, seed: 1 });
  beforeAll(async () => {
    context = await createContext({ backend });
    const weight = normal(classes * depth, { seed: 2 });
    head = ClassificationHead.fromWeights(context, { weight: context.tensor(weight, [classes, depth]) });
  });
  afterAll(() => context.dispose());

  test('predict makes no logits, and answers as from logits that are stored', async () => {
    await context.finished();
    const before = context.memory().bytesAllocated;
    const options = { topK: 3, temperature: 2 };
    const found = await head.predict(features, options);
    if (backend === 'webgpu') expect(context.memory().bytesAllocated - before).toBeLessThan(rows * classes);
    for (const r of [0, rows - 1]) {
      const [alone] = await head.predict(features.subarray(r * depth, (r + 1) * depth), options);
      expect(found[r].map(({ index }) => index)).toEqual(alone.map(({ index }) => index));
      const [some, wanted] = [found[r], alone].map((list) => list.map(({ score }) => score));
      expectClose(some, wanted, { relative: 4e-6 });
    }
  });

  test('fit takes the step that stored logits give', async () => {
    const targets = Int32Array.from({ length: rows }, (_, r) => (r % 7 === 6 ? -100 : r * 2000));
    const x = context.tensor(features, [rows, depth]);
    const { gradient } = crossEntropy(linear(x, head.weight), targets, { gradient: true, labelSmoothing: 0.1 });
    const by = await linearGradient(x, gradient!, false).weight.data();
    const kept = await head.weight.data();
    const optimizer = sgd({ learningRate: 1 });
    await head.fit(features, targets, { epochs: 1, optimizer, batchSize: rows, lossOptions: { labelSmoothing: 0.1 } });
    const moved = (await head.weight.data()).map((value, i) => kept[i] - value);
    expectClose(moved, by, { absolute: 1e-6 });
    expect(Math.max(...by.subarray(0, 2).map(Math.abs))).toBeGreaterThan(0.01);
  });
});
