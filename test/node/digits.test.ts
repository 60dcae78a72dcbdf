// The head of the page's data set, trained from nothing on the CPU: what it reaches on the writers that it has not seen.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import about from '../../page/data/digits.json';
import { depth, extract } from '../../page/features.ts';
import { adamW, ClassificationHead, cosineSchedule, createContext } from '../../src/index.ts';
import { root } from './consumers/install.ts';

const pixels = 64;
const images = Float32Array.from(
  readFileSync(join(root, 'page/data/digits-images.u8.bin')),
  (value) => value / about.most,
);
const labels = [...readFileSync(join(root, 'page/data/digits-labels.u8.bin'))];

async function reached(isTest: (i: number) => boolean) {
  const rows = labels.map((_, i) => i);
  const part = (of: number[]) => ({
    features: extract(Float32Array.from(of.flatMap((i) => [...images.subarray(i * pixels, (i + 1) * pixels)]))),
    targets: of.map((i) => labels[i]),
  });
  const [training, test] = [part(rows.filter((i) => !isTest(i))), part(rows.filter(isTest))];
  using context = await createContext({ backend: 'cpu' });
  using head = ClassificationHead.create(context, { features: depth, classes: about.classes });
  const optimizer = adamW({ learningRate: 0.1 });
  await head.fit(training.features, training.targets, { epochs: 10, optimizer, schedule: cosineSchedule() });
  optimizer.dispose();
  const { accuracy } = await head.evaluate(test.features, test.targets);
  return accuracy;
}

it('learns digits in ten epochs, for writers that it has not seen, and for those that it has', async () => {
  const { from, to } = about.testPart;
  const strangers = await reached((i) => i >= from && i < to);
  const known = await reached((i) => i % 5 === 0);
  expect(strangers).toBeGreaterThanOrEqual(0.96);
  expect(known).toBeGreaterThanOrEqual(0.96);
});
