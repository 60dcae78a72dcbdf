// The linear head whose logits are never stored, at the size of a language model: what a call allocates.
import { expect, it } from 'vitest';
import { createContext, linearCrossEntropy } from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { requestDevice } from './support/device.ts';
import { normal } from './support/random.ts';

it('200,000 classes take less than a quarter of what their logits would, on a device with default limits', async () => {
  const [n, d, c] = [64, 64, 200_000];
  const device = await requestDevice();
  const context = await createContext({ device });
  const x = context.tensor(normal(n * d, { seed: 1 }), [n, d]);
  // All classes are alike, so that the loss is known.
  const one = normal(d, { seed: 2 });
  const weight = context.tensor(
    Float32Array.from({ length: c * d }, (_, i) => one[i % d]),
    [c, d],
  );
  const targets = context.tensor(Int32Array.from({ length: n }, (_, r) => (r * 7919) % c));
  await context.finished();
  const before = context.memory().bytesAllocated;
  const { loss } = linearCrossEntropy(x, weight, targets);
  // Scratch goes to the pool, which is counted, and nothing was read back yet.
  expect(context.memory().bytesAllocated - before).toBeLessThan((4 * n * c) / 4);
  expectClose(await loss.data(), [Math.log(c)], { relative: 2e-6 });
  context.dispose();
  device.destroy();
}, 180_000);
