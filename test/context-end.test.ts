// How contexts end: devices that are lost, and disposal.
import { describe, expect, it } from 'vitest';
import {
  argmax,
  argmin,
  ClassificationHead,
  type Context,
  createContext,
  crossEntropy,
  DeviceLostError,
  DisposedError,
  linearCrossEntropy,
  sgd,
  sigmoid,
  softmax,
  type Tensor,
  topK,
} from '../src/index.ts';
import { calls, numbers } from './support/calls.ts';
import { requestDevice } from './support/device.ts';
import { errorOf } from './support/errors.ts';

const permutations = <T>(items: readonly T[]): T[][] =>
  items.length < 2
    ? [[...items]]
    : items.flatMap((first, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [first, ...rest]));

const onGpu = () => createContext({ backend: 'webgpu' });

describe('a device that is lost', () => {
  it('fails what was pending, what is read later and what is new, and nothing else', async () => {
    const context = await onGpu();
    const x = context.tensor(numbers);
    const y = softmax(x);
    await y.data();
    const pending = [y.data(), sigmoid(x).array(), context.finished(), crossEntropy(x, [0, 1]).loss.data()];
    const errors = Promise.all(pending.map(errorOf));
    context.device!.destroy();
    const soon = errorOf(argmax(x).data()); // before anybody can know
    for (const error of [...(await errors), await soon]) expect(error).toBeInstanceOf(DeviceLostError);
    expect(await context.lost).toMatchObject({ reason: 'destroyed' });

    await expect(y.data()).rejects.toThrow(DeviceLostError);
    await expect(context.finished()).rejects.toThrow(DeviceLostError);
    await expect(context.tensor([1, 2]).data()).rejects.toThrow(DeviceLostError);
    await expect(context.tensor([]).data()).rejects.toThrow(DeviceLostError); // even of nothing
    for (const [name, call] of calls) {
      const error = await errorOf(call(x).data());
      expect(error, name).toBeInstanceOf(DeviceLostError);
      expect((error as Error).message).toMatch(/^The GPU device was lost \(.+\)\. Make a new context\.$/);
    }
    await context.prepare(() => softmax(x)); // compiles nothing, and hangs nowhere
    context.dispose();
    await expect(y.data()).rejects.toThrow(DisposedError);
  });

  it('fails results, and no other promise, where error scopes fail with it', async () => {
    const device = await requestDevice();
    const popErrorScope = device.popErrorScope.bind(device);
    device.popErrorScope = () => popErrorScope().then(() => Promise.reject(new DOMException('gone', 'OperationError')));
    const context = await createContext({ device });
    const p = softmax(context.tensor(numbers)); // compiles, allocates and uploads
    await expect(p.data()).rejects.toThrow('The device failed: OperationError: gone');
    await expect(argmax(p).data()).rejects.toThrow('The device failed');
    device.destroy();
    await expect(p.data()).rejects.toThrow(DeviceLostError);
  });

  it('between the copy and the look at it', async () => {
    for (const how of ['destroyed', 'lost', 'disposed']) {
      const context = await onGpu();
      const device = context.device!;
      const createBuffer = device.createBuffer.bind(device);
      device.createBuffer = (descriptor) => {
        const buffer = createBuffer(descriptor);
        const mapAsync = buffer.mapAsync.bind(buffer);
        buffer.mapAsync = async (...range) => {
          await mapAsync(...range);
          if (how === 'disposed') context.dispose();
          else if (how === 'destroyed') device.destroy();
          else {
            // What a crash does: the numbers are there, and are not to be trusted.
            const mapped = buffer.getMappedRange(0, 8).slice(0);
            device.destroy();
            await device.lost;
            Object.assign(buffer, { getMappedRange: () => mapped, unmap: () => undefined });
          }
        };
        return buffer;
      };
      const error = await errorOf(context.tensor([1, 2]).data());
      expect(error, how).toBeInstanceOf(how === 'disposed' ? DisposedError : DeviceLostError);
    }
  });

  it('leaves other contexts alone', async () => {
    const [a, b] = [await onGpu(), await onGpu()];
    const x = b.tensor(numbers);
    const pending = argmax(x).array();
    a.device!.destroy();
    await a.lost;
    expect(await pending).toEqual([2, 2]);
    expect(await argmin(x).array()).toEqual([0, 1]);
    b.dispose();
  });
});

describe.each(['cpu', 'webgpu'] as const)('%s: dispose', (backend) => {
  it('in the middle of work, twice, and of what is used afterwards', async () => {
    const context = await createContext({ backend });
    const x = context.tensor(numbers);
    const y = softmax(x);
    const pending = [y.data(), context.finished(), topK(x, 1).values.array()];
    const settled = Promise.allSettled(pending);
    context.dispose();
    context.dispose();
    for (const outcome of await settled) {
      // The CPU had done its work already.
      if (backend === 'cpu') expect(outcome.status).toBe('fulfilled');
      else expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(DisposedError);
    }
    expect(await context.lost).toMatchObject({ reason: 'destroyed' });
    expect([context.disposed, x.disposed, y.disposed]).toEqual([true, true, true]);
    expect(context.memory()).toEqual({ tensors: 0, buffers: 0, bytesInUse: 0, bytesAllocated: 0 });
    await expect(y.data()).rejects.toThrow('data: the tensor was disposed');
    await expect(context.finished()).rejects.toThrow(new DisposedError('context.finished: the context was disposed'));
    await expect(context.prepare(() => 0)).rejects.toThrow(DisposedError);
    expect(() => context.tensor([1])).toThrow(new DisposedError('context.tensor: the context was disposed'));
    for (const [name, call] of calls) expect(() => call(x), name).toThrow(DisposedError);
    y.dispose();
    using another = await createContext({ backend });
    expect(await argmax(another.tensor(numbers)).array()).toEqual([2, 2]);
  });

  it('in any order, in the middle of work, of what hangs together', async () => {
    const device = backend === 'webgpu' ? await requestDevice() : undefined;
    const other = await createContext({ backend, device });
    const kept = other.tensor(numbers);
    const orders = permutations(['x', 'y', 'head', 'optimizer', 'context'] as const);
    // A context compiles its kernels anew: of 120 orders on a GPU, every seventeenth, which are unlike each other, and fewer in a page.
    const every = backend === 'cpu' ? 1 : typeof window === 'undefined' ? 17 : 51;
    for (const order of orders.filter((_, i) => i % every === 0)) {
      const context = await createContext({ backend, device });
      const x = context.tensor([
        [1, 0],
        [0, 1],
      ]);
      const y = softmax(x);
      const head = ClassificationHead.create(context, { features: 2, classes: 2 });
      const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 });
      const { gradients } = linearCrossEntropy(x, head.weight, [0, 1], { gradients: ['weight'] });
      optimizer.step([head.weight], [gradients!.weight as Tensor]);
      const pending = [y.data(), head.predict([[1, 2]]), context.finished(), head.weight.data()];
      const settled = Promise.allSettled(pending);
      for (const name of order)
        for (let twice = 0; twice < 2; twice++) ({ x, y, head, optimizer, context })[name].dispose();
      for (const outcome of await settled)
        if (outcome.status === 'rejected') expect(outcome.reason, `${order}`).toBeInstanceOf(DisposedError);
      for (const late of [y.data(), head.predict([[1, 2]]), context.finished()])
        await expect(late, `${order}`).rejects.toThrow(DisposedError);
      expect(context.memory(), `${order}`).toEqual({ tensors: 0, buffers: 0, bytesInUse: 0, bytesAllocated: 0 });
    }
    expect(await argmax(kept).array()).toEqual([2, 2]); // on the same device
    other.dispose();
    device?.destroy();
  });

  it('with `using`', async () => {
    let outer: Context;
    {
      using context = await createContext({ backend });
      outer = context;
      expect(outer.disposed).toBe(false);
    }
    expect(outer.disposed).toBe(true);
  });
});
