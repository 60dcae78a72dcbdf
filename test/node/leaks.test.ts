// What is dropped comes back: tensors without dispose(), and contexts with all that they made.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  adam,
  argmax,
  ClassificationHead,
  createContext,
  crossEntropy,
  sigmoid,
  softmax,
  topK,
} from '../../src/index.ts';
import { countCalls, requestDevice, usage } from '../support/device.ts';

setFlagsFromString('--expose-gc');
const gc: () => void = runInNewContext('gc');
const numbers = [
  [1, 2, 3],
  [0, -1, 4],
];
/** Collects until a condition holds; finalizers run in tasks of their own. */
async function collectUntil(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !holds(); i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
afterEach(() => vi.restoreAllMocks());

describe.each(['cpu', 'webgpu'] as const)('%s: tensors that are dropped', (backend) => {
  it('are freed, and those that are held are not', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const context = await createContext({ backend });
    const x = context.tensor(numbers);
    const head = ClassificationHead.create(context, { features: 3, classes: 2 });
    const drop = () => {
      for (let i = 0; i < 50; i++) Object.values(crossEntropy(softmax(x), [0, 1], { gradient: true }));
    };
    const before = context.memory();
    drop();
    expect(context.memory().tensors).toBe(before.tensors + 150);
    await collectUntil(() => context.memory().tensors <= before.tensors);
    expect(context.memory()).toMatchObject({ tensors: before.tensors, bytesInUse: before.bytesInUse });
    expect(await x.array()).toEqual(numbers);
    expect((await head.predict(numbers, { topK: 1 })).length).toBe(2);
    expect(warn).not.toHaveBeenCalled();
    head.dispose();
    context.dispose();
  });

  it('while they are read are read to the end', async () => {
    const context = await createContext({ backend });
    const reads = Array.from({ length: 100 }, (_, i) => argmax(context.tensor([i % 3 === 0 ? 1 : 0, 0.5])).data());
    gc();
    const again = Array.from({ length: 100 }, () => sigmoid(context.tensor([9, 9, 9]))); // over what came back
    for (const [i, read] of reads.entries()) expect([...(await read)]).toEqual([i % 3 === 0 ? 0 : 1]);
    expect(again.length).toBe(100);
    context.dispose();
  });

  it('are told of with `debug`, with the line that made them; those disposed of are not', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const context = await createContext({ backend, debug: true });
    const work = () => {
      using x = context.tensor(numbers);
      using kept = topK(x, 2).indices;
      return kept.size;
    };
    work(); // drops the values
    await collectUntil(() => warn.mock.calls.length > 0);
    expect(warn.mock.calls.length).toBe(1);
    expect(warn.mock.calls[0][0]).toMatch(
      /^crosshead: a tensor of shape \[2, 2\] \(.+\) was dropped without dispose\(\)/,
    );
    expect(warn.mock.calls[0][0]).toContain('leaks.test.ts');
    expect(context.memory().tensors).toBe(0);
    context.dispose();
  });
});

it('a buffer that somebody has stays, though its tensor is dropped', async () => {
  const device = await requestDevice();
  const context = await createContext({ device });
  const take = () => softmax(context.tensor(numbers)).buffer!;
  const buffer = take();
  const expected = await softmax(context.tensor(numbers)).data();
  let turns = 0;
  await collectUntil(() => ++turns > 5);
  expect(context.memory().tensors).toBe(1);
  for (let i = 0; i < 20; i++) sigmoid(context.tensor(numbers)); // would take it, had it come back
  expect(await context.fromBuffer(buffer, [2, 3]).data()).toEqual(expected);
  device.destroy();
});

it('an optimizer that is dropped frees its state, and its parameters stay', async () => {
  using context = await createContext({ backend: 'cpu' });
  const weight = context.tensor([1, 2]);
  const step = () => {
    using gradient = context.tensor([1, 1]);
    adam({ learningRate: 0.1 }).step([weight], [gradient]);
  };
  step();
  expect(context.memory().tensors).toBe(3);
  await collectUntil(() => context.memory().tensors === 1);
  expect(context.memory().tensors).toBe(1);
  expect(weight.disposed).toBe(false);
});

it('contexts on one device destroy all the buffers that they made, in the midst of work or after it', async () => {
  const device = await requestDevice();
  const counts = countCalls(device);
  for (let i = 0; i < 4; i++) {
    const context = await createContext({ device });
    const p = softmax(context.tensor(numbers));
    const encoder = device.createCommandEncoder();
    context.encodeInto(encoder, () => sigmoid(p, { out: p }));
    device.queue.submit([encoder.finish()]);
    context.fromBuffer(device.createBuffer({ size: 256, usage: usage.all }), [3]).dispose();
    if (i % 2) await p.data();
    context.dispose();
  }
  expect(counts.createBuffer).toBeGreaterThan(20);
  expect(counts.createBuffer - counts.destroyBuffer).toBe(4); // the callers'
  expect(counts.popErrorScope).toBe(counts.pushErrorScope);
  device.destroy();
});
