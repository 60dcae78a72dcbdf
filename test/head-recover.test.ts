// A head with `recover: true` whose device is lost: it answers on from another, with the weights it had, or says that it cannot.
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ClassificationHead,
  type Context,
  createContext,
  DeviceLostError,
  type FitProgress,
  sgd,
  softmax,
} from '../src/index.ts';
import { requestDevice } from './support/device.ts';
import { errorOf, matrix } from './support/heads.ts';

const weight = matrix(3, 4, 1);
const bias = [0.5, -0.25, 0];
const labels = ['a', 'b', 'c'];
const rows = matrix(12, 4, 2);
const targets = rows.map((_, i) => i % 3);

/** Where a head was, to be disposed of. */
const contexts = new Set<Context>();
afterAll(() => {
  for (const context of contexts) context.dispose();
});
const onGpu = async (options: object = {}) => {
  const context = await createContext({ backend: 'webgpu', ...options });
  contexts.add(context);
  return context;
};
const lose = (head: ClassificationHead) => {
  contexts.add(head.context);
  head.context.device!.destroy();
};

let context: Context;
let head: ClassificationHead;
beforeEach(async () => {
  context = await onGpu();
  head = ClassificationHead.fromWeights(context, { weight, bias, labels, recover: true });
});

it('answers on from another device, with the weights it had', async () => {
  const before = await head.predict(rows);
  lose(head);
  expect(await head.predict(rows)).toEqual(before);
  expect(head.context).not.toBe(context);
  expect(head.context.backend).toBe('webgpu');
  expect(await head.weight.data()).toEqual(Float32Array.from(weight.flat()));
  contexts.add(head.context);
});

it('does so before anything was asked of it, and for all that wait at once', async () => {
  const pending = [head.predict(rows[0]), head.predict(rows)];
  lose(head);
  const [[one], all] = await Promise.all(pending);
  expect(all[0]).toEqual(one);
  const { context: next } = head;
  expect(next).not.toBe(context);
  await head.predict(rows);
  expect(head.context).toBe(next);
  contexts.add(next);
});

it('goes to the CPU as its context was asked for', async () => {
  const plain = await onGpu({ simd: false });
  const own = ClassificationHead.fromWeights(plain, { weight, recover: true });
  for (let i = 0; i < 4; i++) {
    await own.predict(rows);
    lose(own);
  }
  await own.predict(rows);
  expect(own.context.reason).toMatch(/plain/);
  contexts.add(own.context);
});

it('goes to the CPU when device after device is lost', async () => {
  const before = await head.predict(rows);
  for (let i = 0; i < 3; i++) {
    lose(head);
    expect(await head.predict(rows)).toEqual(before);
    expect(head.context.backend).toBe('webgpu');
  }
  lose(head);
  const last = await head.predict(rows);
  expect(head.context.backend).toBe('cpu');
  expect(last.map(([best]) => best.label)).toEqual(before.map(([best]) => best.label));
  contexts.add(head.context);
});

it('goes to the CPU from a device that was borrowed', async () => {
  const borrowed = await onGpu({ device: await requestDevice() });
  using own = ClassificationHead.fromWeights(borrowed, { weight, bias, recover: true });
  lose(own);
  expect((await own.predict(rows)).length).toBe(rows.length);
  expect(own.context.backend).toBe('cpu');
  contexts.add(own.context);
});

describe('everything it is asked', () => {
  const asked: Record<string, (head: ClassificationHead) => Promise<unknown>> = {
    predict: (head) => head.predict(rows, { topK: 2 }),
    evaluate: async (head) => JSON.stringify(await head.evaluate(rows, targets)), // it has a method
    calibrate: (head) => head.calibrate(rows, targets),
    fitRejection: (head) => head.fitRejection(rows),
    save: async (head) => [...new Uint8Array(await (await head.save()).arrayBuffer())],
  };
  it.each(Object.entries(asked))('%s', async (_, ask) => {
    using other = ClassificationHead.fromWeights(context, { weight, bias, labels });
    const expected = await ask(other);
    lose(head);
    expect(await ask(head)).toEqual(expected);
    contexts.add(head.context);
  });
});

it('takes features as they were when it was called', async () => {
  const features = Float32Array.from(rows.flat());
  const before = await head.predict(features);
  const pending = head.predict(features);
  features.fill(7);
  lose(head);
  expect(await pending).toEqual(before);
  contexts.add(head.context);
});

it('says that tensors were lost, and answers the next call', async () => {
  const x = context.tensor(rows);
  lose(head);
  await expect(head.predict(x)).rejects.toThrow(DeviceLostError);
  expect((await head.predict(rows)).length).toBe(rows.length);
  contexts.add(head.context);
});

describe('weights that were written', () => {
  const trained = async () => {
    await head.fit(rows, targets, { epochs: 3, optimizer: sgd({ learningRate: 0.5 }) });
    return head.predict(rows);
  };

  it('by a training are those it goes on with', async () => {
    const before = await trained();
    lose(head);
    expect(await head.predict(rows)).toEqual(before);
    contexts.add(head.context);
  });

  it('and then trained again', async () => {
    await trained();
    lose(head);
    await head.predict(rows);
    const { loss } = await head.evaluate(rows, targets);
    await head.fit(rows, targets, { epochs: 3, optimizer: sgd({ learningRate: 0.5 }) });
    expect((await head.evaluate(rows, targets)).loss).toBeLessThan(loss);
    contexts.add(head.context);
  });

  it('are lost where no copy was read since: an error, and no older answer', async () => {
    await head.predict(rows);
    softmax(head.weight, { out: head.weight });
    lose(head);
    await expect(head.predict(rows)).rejects.toThrow(DeviceLostError);
    expect(head.context).toBe(context);
  });

  it('are those of the last call that saw them', async () => {
    softmax(head.weight, { out: head.weight });
    const before = await head.predict(rows);
    lose(head);
    expect(await head.predict(rows)).toEqual(before);
    contexts.add(head.context);
  });

  it('by whoever has their buffer are not known: an error', async () => {
    await head.predict(rows);
    expect(head.weight.buffer).not.toBeNull();
    lose(head);
    await expect(head.predict(rows)).rejects.toThrow(DeviceLostError);
  });
});

describe('a training whose device is lost before its first snapshot', () => {
  const options = { epochs: 3, batchSize: 4 };
  const fitted = async (own: ClassificationHead, more: object = {}) => {
    const history = await own.fit(rows, targets, { ...options, ...more });
    return { history, weight: await own.weight.data(), bias: await own.bias!.data() };
  };
  const another = () => ClassificationHead.fromWeights(context, { weight, bias, labels });

  it.each([{}, { warmStart: true }])('goes on from the copy on the host: %j', async (more) => {
    using other = another();
    const whole = await fitted(other, more);
    const recovered: string[] = [];
    const onProgress = (progress: FitProgress) => progress.recovered && recovered.push(progress.recovered);
    const pending = fitted(head, { ...more, onProgress });
    lose(head);
    expect(await pending).toEqual(whole);
    expect(recovered).toEqual([expect.stringContaining('The training goes on from step 0.')]);
    contexts.add(head.context);
  });

  it('leaves no copy behind that is older than its weights', async () => {
    await fitted(head);
    lose(head);
    await fitted(head); // as many steps as before, on other tensors
    const before = await head.predict(rows);
    lose(head);
    expect(await head.predict(rows)).toEqual(before);
    contexts.add(head.context);
  });

  it('cannot go on where the optimizer keeps what a training before came to, nor without a copy', async () => {
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 });
    await fitted(head, { optimizer });
    using other = another();
    lose(head);
    await expect(fitted(head, { optimizer })).rejects.toThrow(DeviceLostError);
    await expect(fitted(other)).rejects.toThrow(DeviceLostError);
    optimizer.dispose();
    expect((await fitted(head)).history.epochs.length).toBe(3);
    contexts.add(head.context);
  });
});

it('reads tensors of the caller to the host once, float16 too, and leaves them as they are', async () => {
  const given = context.tensor(weight, undefined, { dtype: 'float16' });
  using own = ClassificationHead.fromWeights(context, { weight: given, recover: true });
  const before = await own.predict(rows);
  lose(own);
  expect(await own.predict(rows)).toEqual(before);
  expect(own.weight.dtype).toBe('float16');
  expect(given.disposed).toBe(false);
  contexts.add(own.context);
});

it('is asked for by create and load too, and only by true', async () => {
  const file = await head.save();
  const loaded = await ClassificationHead.load(context, file, { recover: true });
  const created = ClassificationHead.create(context, { features: 4, classes: 3, recover: true });
  const plain = ClassificationHead.create(context, { features: 4, classes: 3 });
  lose(head);
  for (const one of [loaded, created]) {
    expect((await one.predict(rows)).length).toBe(rows.length);
    contexts.add(one.context);
  }
  await expect(plain.predict(rows)).rejects.toThrow(DeviceLostError);
  const wrong = { recover: 1 as unknown as boolean };
  const message = '"recover" must be true or false, got 1';
  const on = await onGpu();
  expect(() => ClassificationHead.create(on, { features: 4, classes: 3, ...wrong })).toThrow(message);
  expect(() => ClassificationHead.fromWeights(on, { weight, ...wrong })).toThrow(message);
  expect(((await errorOf(ClassificationHead.load(on, file, wrong))) as Error).message).toContain(message);
});

it('keeps nothing on a device that it left, and works on the CPU as others do', async () => {
  const on = await createContext({ backend: 'cpu' });
  using own = ClassificationHead.fromWeights(on, { weight, recover: true });
  expect((await own.predict(rows)).length).toBe(rows.length);
  lose(head);
  await head.predict(rows);
  expect(context.memory().tensors).toBe(0);
  contexts.add(head.context);
});
