// Memory: what is counted, what the pool keeps and gives again, and what is left when work fails or the device has no more.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  argmax,
  type Context,
  createContext,
  crossEntropy,
  linear,
  OutOfMemoryError,
  sigmoid,
  softmax,
  topK,
} from '../src/index.ts';
import { BufferPool, storageUsage, uniformUsage } from '../src/webgpu/buffers.ts';
import { isSoftware } from '../src/webgpu/device.ts';
import { countCalls, limitedDevice, requestAdapter, requestDevice, usage } from './support/device.ts';
import { errorOf } from './support/errors.ts';

const numbers = [
  [1, 2, 3],
  [0, -1, 4],
];
const nothing = { tensors: 0, buffers: 0, bytesInUse: 0, bytesAllocated: 0 };

describe('memory()', () => {
  it('counts arrays on the CPU to the byte', async () => {
    using context = await createContext({ backend: 'cpu', simd: false });
    expect(context.memory()).toEqual(nothing);
    const x = context.tensor(numbers);
    const half = context.tensor(numbers, undefined, { dtype: 'float16' }); // kept as floats
    expect(context.memory()).toEqual({ tensors: 2, buffers: 2, bytesInUse: 48, bytesAllocated: 48 });
    const { loss, gradient } = crossEntropy(x, [0, 1], { gradient: true });
    expect(context.memory()).toEqual({ tensors: 4, buffers: 4, bytesInUse: 76, bytesAllocated: 76 });
    softmax(half, { out: half });
    for (const tensor of [x, half, loss, gradient!, x]) tensor.dispose();
    expect(context.memory()).toEqual(nothing);
  });

  it('counts buffers on the GPU as they are rounded, and those that wait in the pool', async () => {
    using context = await createContext({ backend: 'webgpu' });
    expect(context.memory()).toEqual(nothing);
    const x = context.tensor(new Float32Array(65)); // 260 bytes: just past the least size, so 320
    const small = context.tensor([1]); // 256 is the least
    expect(context.memory()).toEqual({ tensors: 2, buffers: 2, bytesInUse: 576, bytesAllocated: 576 });
    x.dispose();
    expect(context.memory()).toEqual({ tensors: 1, buffers: 2, bytesInUse: 256, bytesAllocated: 576 });
    const half = context.tensor(new Float32Array(131), undefined, { dtype: 'float16' }); // 262 bytes and half a word: the same 320
    expect(context.memory()).toEqual({ tensors: 2, buffers: 2, bytesInUse: 576, bytesAllocated: 576 });
    const empty = context.tensor([]);
    expect(context.memory().bytesInUse).toBe(832);
    for (const tensor of [small, half, empty]) tensor.dispose();
    expect(context.memory()).toEqual({ tensors: 0, buffers: 3, bytesInUse: 0, bytesAllocated: 832 });
    context.dispose();
    expect(context.memory()).toEqual(nothing);
  });

  it('comes back to what it was when all is read and disposed of', async () => {
    using context = await createContext({ backend: 'webgpu' });
    const x = context.tensor(numbers);
    const before = context.memory();
    const results = [
      softmax(x),
      argmax(x),
      ...Object.values(topK(x, 2)),
      ...Object.values(crossEntropy(x, [0, 1], { gradient: true, upstream: 2 })),
      linear(x, x, { bias: [1, 2] }),
    ];
    expect(context.memory().tensors).toBe(1 + results.length);
    await Promise.all(results.map((result) => result.data()));
    for (const result of results) result.dispose();
    const after = context.memory();
    expect([after.tensors, after.bytesInUse]).toEqual([before.tensors, before.bytesInUse]);
    expect(after.bytesAllocated).toBeGreaterThan(after.bytesInUse);
  });
});

describe('the pool', () => {
  it.each([
    ['softmax', (x) => [softmax(x)]],
    ['crossEntropy, which needs workspace', (x) => Object.values(crossEntropy(x, [0, 1], { gradient: true }))],
    ['topK', (x) => Object.values(topK(x, 2))],
  ] satisfies [string, (x: ReturnType<typeof softmax>) => ReturnType<typeof softmax>[]][])(
    'makes no buffer after the first of 1,000 calls of %s, awaited or not',
    async (_, call) => {
      const device = await requestDevice();
      const context = await createContext({ device });
      const x = context.tensor(numbers, undefined, { dtype: 'float16' });
      const dispose = (results: ReturnType<typeof call>) => {
        for (const result of results) result.dispose();
      };
      dispose(call(x));
      const counts = countCalls(device);
      const before = context.memory();
      for (let i = 0; i < 1000; i++) dispose(call(x)); // in one go: nothing has run yet
      expect(counts).toMatchObject({ createBuffer: 0, destroyBuffer: 0 });
      const results = call(x);
      await results[0].data();
      dispose(results);
      const { createBuffer } = counts; // one to read with, now pooled
      for (let i = 0; i < 20; i++) {
        const results = call(x);
        await Promise.all(results.map((result) => result.data()));
        dispose(results);
      }
      expect(counts.createBuffer).toBeLessThanOrEqual(createBuffer + results.length - 1);
      expect(context.memory().bytesInUse).toBe(before.bytesInUse);
      device.destroy();
    },
  );

  describe('by itself', () => {
    let device: GPUDevice;
    const noErrors = () => () => Promise.resolve(null);
    beforeEach(async () => {
      device = await requestDevice();
    });
    afterEach(() => device.destroy());

    it('gives again what has the same size and usage, and nothing else', () => {
      const pool = new BufferPool(device, noErrors);
      const first = pool.take(300, storageUsage, 'a');
      expect([first.size, first.usage]).toEqual([320, storageUsage]);
      pool.give(first);
      expect(pool.take(300, uniformUsage, 'b')).not.toBe(first);
      expect(pool.take(321, storageUsage, 'c')).not.toBe(first);
      const again = pool.take(320, storageUsage, 'd');
      expect(again).toBe(first);
      expect(again.label).toBe('d');
      expect(pool.take(320, storageUsage, 'e')).not.toBe(first);
      const foreign = device.createBuffer({ size: 256, usage: usage.all });
      pool.give(foreign);
      expect(pool.take(256, storageUsage, 'f')).not.toBe(foreign);
    });

    it('keeps no more than its cap, and lets the longest unused go first', () => {
      const counts = countCalls(device);
      const pool = new BufferPool(device, noErrors, 1024);
      const [a, b, c, d] = [512, 256, 256, 256].map((size) => pool.take(size, storageUsage, ''));
      for (const buffer of [a, b, c]) pool.give(buffer); // 1,024 bytes: just what it may keep
      expect(counts.destroyBuffer).toBe(0);
      expect(pool.report()).toEqual({ buffers: 4, bytesInUse: 256, bytesAllocated: 1280 });
      pool.give(d);
      expect(counts.destroyBuffer).toBe(1);
      expect(pool.report()).toEqual({ buffers: 3, bytesInUse: 0, bytesAllocated: 768 });
      expect([b, c, d]).toContain(pool.take(256, storageUsage, ''));
      const large = pool.take(2048, storageUsage, '');
      pool.give(large); // alone more than the cap
      expect(pool.report().bytesAllocated).toBeLessThanOrEqual(1024);
      pool.destroyAll();
      expect(pool.report()).toEqual({ buffers: 0, bytesInUse: 0, bytesAllocated: 0 });
      expect(counts.destroyBuffer).toBe(counts.createBuffer);
    });
  });
});

describe('work that throws leaves nothing', () => {
  it.each(['cpu', 'webgpu'] as const)('%s: a target that is no class, a wrong shape, a wrong k', async (backend) => {
    using context = await createContext({ backend });
    const x = context.tensor(numbers);
    await context.finished();
    const before = context.memory();
    expect(() => crossEntropy(x, [0, 3])).toThrow(RangeError);
    expect(() => crossEntropy(x, [0, 1], { upstream: [1, 2] })).toThrow('"upstream"');
    expect(() => topK(x, 4)).toThrow(RangeError);
    expect(context.memory()).toEqual(before);
  });

  it('a result larger than any buffer', async () => {
    const device = await limitedDevice({ maxBufferSize: 1024 });
    const context = await createContext({ device });
    const x = context.tensor(new Float32Array(20), [20, 1]);
    await context.finished();
    const before = context.memory();
    const call = () => linear(x, x, { bias: new Float32Array(20) }); // [20, 20]: 1,600 bytes; the bias is uploaded before
    expect(call).toThrow(RangeError);
    expect(call).toThrow(`linear.logits: 1600 bytes exceed the device's largest buffer of 1024 (maxBufferSize)`);
    for (const options of [{}, { label: 'w' }])
      expect(() => context.tensor(new Float32Array(257), [257], options)).toThrow('context.tensor: 1028 bytes exceed');
    const after = context.memory();
    expect([after.tensors, after.bytesInUse]).toEqual([before.tensors, before.bytesInUse]);
    expect(await context.tensor(new Float32Array(256)).data()).toHaveLength(256); // what just fits
    await context.finished();
    device.destroy();
  });

  it('a row larger than any binding', async () => {
    const device = await limitedDevice({ maxStorageBufferBindingSize: 1024 });
    const context = await createContext({ device });
    const x = context.tensor(new Float32Array(514), [2, 257]);
    const kept = context.tensor(new Float32Array(514), [2, 257]);
    await context.finished();
    const before = context.memory();
    const pushed = countCalls(device);
    const message = 'crossEntropy: "input" needs a binding of 1028 bytes, the device\'s largest is 1024';
    expect(() => crossEntropy(x, [0, 1], { gradientOut: kept })).toThrow(message);
    expect(pushed.popErrorScope).toBe(pushed.pushErrorScope);
    expect(pushed.submit).toBe(0);
    const after = context.memory();
    expect([after.tensors, after.bytesInUse]).toEqual([before.tensors, before.bytesInUse]);
    expect(await kept.data()).toEqual(new Float32Array(514));
    expect(await argmax(context.tensor(new Float32Array(512), [2, 256])).array()).toEqual([0, 0]); // what just fits, a row at a time
    await context.finished();
    device.destroy();
  });

  it('a planner that throws', async () => {
    const refuse = () => {
      throw new Error('no plan');
    };
    const context = await createContext({ backend: 'webgpu', plan: refuse });
    const x = context.tensor(numbers);
    await context.finished();
    const before = context.memory();
    expect(() => softmax(x)).toThrow('no plan');
    expect(() => crossEntropy(x, [0, 1])).toThrow('no plan');
    const after = context.memory();
    expect([after.tensors, after.bytesInUse]).toEqual([before.tensors, before.bytesInUse]);
    await context.finished();
    context.dispose();
  });
});

// SwiftShader says that it can make buffers of 1 GiB and then has no memory for them; hardware may have it.
const { info } = await requestAdapter();
const gibibyte = 2 ** 30;

describe.runIf(isSoftware(info))('a device without memory', () => {
  let context: Context;
  let uncaptured: string[];
  beforeEach(async () => {
    context = await createContext({ backend: 'webgpu' });
    uncaptured = [];
    context.device!.onuncapturederror = ({ error }) => uncaptured.push(error.message);
    expect(context.device!.limits.maxBufferSize).toBeGreaterThanOrEqual(gibibyte);
  });
  afterEach(() => {
    expect(uncaptured).toEqual([]); // all of it is told by results
    context.dispose();
  });

  /** Has the device really fail to make the next buffer of a label. */
  function failNext(label: string): void {
    const device = context.device!;
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      if (descriptor.label !== label) return createBuffer(descriptor);
      device.createBuffer = createBuffer;
      const failed = createBuffer({ ...descriptor, size: gibibyte });
      return Object.defineProperty(failed, 'size', { value: descriptor.size });
    };
  }

  async function expectSound(): Promise<void> {
    await context.finished();
    const x = context.tensor(numbers);
    expect(await argmax(x).array()).toEqual([2, 2]);
    expect(await softmax(context.tensor([[0, 0]])).array()).toEqual([[0.5, 0.5]]);
    expect(await crossEntropy(context.tensor([[0, 0]]), [1]).loss.array()).toBeCloseTo(Math.LN2, 6);
  }

  it('rejects a result of 1 GiB, and all that is made of it', async () => {
    const column = context.tensor(new Float32Array(16_384), [16_384, 1]);
    const before = context.memory();
    const logits = linear(column, column); // [16384, 16384]
    expect(context.memory().bytesInUse).toBeGreaterThanOrEqual(gibibyte);
    const derived = argmax(logits);
    const again = argmax(derived, { axis: 0 });
    for (const result of [derived, derived, again]) {
      const error = await errorOf(result.data());
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect(error).toMatchObject({ name: 'OutOfMemoryError' });
      expect((error as Error).message).toMatch(/^The device has no memory left: /);
    }
    expect(context.memory().bytesInUse).toBeLessThan(2 ** 20); // it was never made
    for (const tensor of [logits, derived, again]) tensor.dispose();
    await context.finished();
    expect(await column.data()).toEqual(new Float32Array(16_384));
    expect(context.memory().tensors).toBe(before.tensors);
    await expectSound();
  });

  it('tells `finished` of what nobody read, once', async () => {
    const column = context.tensor(new Float32Array(16_384), [16_384, 1]);
    linear(column, column).dispose();
    await expect(context.finished()).rejects.toThrow(OutOfMemoryError);
    await expectSound();
  });

  it('fails what is uploaded', async () => {
    failNext('scores');
    const x = context.tensor(numbers, undefined, { label: 'scores' });
    const p = softmax(x);
    await expect(p.data()).rejects.toThrow(OutOfMemoryError);
    await expect(x.array()).rejects.toThrow(OutOfMemoryError);
    x.dispose();
    await expectSound();
  });

  it('never pools a buffer that it could not make', async () => {
    const x = context.tensor(numbers);
    await x.data();
    failNext('softmax.probabilities');
    const first = softmax(x);
    first.dispose();
    const second = softmax(x); // at once, so it gets what `first` gave back
    await expect(second.data()).rejects.toThrow(OutOfMemoryError);
    const third = softmax(x);
    expect((await third.data())[0]).toBeCloseTo(0.09, 2);
    await expectSound();
  });

  it('nor one of workspace', async () => {
    const x = context.tensor(numbers);
    await x.data();
    failNext('crossEntropy: workspace');
    const failed = crossEntropy(x, [0, 1]);
    await expect(failed.loss.data()).rejects.toThrow(OutOfMemoryError);
    for (let i = 0; i < 3; i++) expect(await crossEntropy(x, [2, 2]).loss.array()).toBeCloseTo(0.2162, 4);
    await expectSound();
  });

  it('fails to read, and reads the next time', async () => {
    const p = sigmoid(context.tensor([0]));
    failNext('crosshead: readback');
    await expect(p.data()).rejects.toThrow(OutOfMemoryError);
    expect(await p.array()).toEqual([0.5]);
    failNext('crosshead: readback'); // of two at once: the pool has one to read with
    const [first, second] = await Promise.allSettled([argmax(context.tensor([1, 2])).data(), p.data()]);
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
    await expectSound();
  });
});
