// What a context compiles: ahead, and in vain.
import { describe, expect, it } from 'vitest';
import {
  adam,
  argmax,
  argmin,
  createContext,
  crossEntropy,
  logSumExp,
  ShaderError,
  softmax,
  topK,
} from '../src/index.ts';
import { calls, numbers } from './support/calls.ts';
import { countCalls, requestDevice } from './support/device.ts';
import { errorOf } from './support/errors.ts';

describe('prepare', () => {
  it('compiles all that later calls need, and runs nothing', async () => {
    const device = await requestDevice();
    const context = await createContext({ device });
    const x = context.tensor(numbers);
    const half = context.tensor(numbers, undefined, { dtype: 'float16' });
    const first = context.tensor(numbers.flat(), [3, 2]);
    await context.finished();
    const counts = countCalls(device);
    const before = context.memory();
    const all = () => {
      for (const [, call] of calls) call(x).dispose();
      for (const [, call] of calls) call(half).dispose();
      softmax(first, { axis: 0, out: first });
      crossEntropy(x, [0, 1], { reduction: 'none', upstream: [1, 2], gradientOut: x });
    };
    await context.prepare(all);
    expect(counts).toMatchObject({ submit: 0, createBuffer: 0, createComputePipeline: 0 });
    expect(counts.createComputePipelineAsync).toBeGreaterThan(calls.length);
    expect(context.memory()).toEqual(before);
    expect(await x.array()).toEqual(numbers);
    const { createShaderModule, createComputePipelineAsync } = counts;

    all();
    await context.finished();
    expect(counts).toMatchObject({ createComputePipeline: 0, createShaderModule, createComputePipelineAsync });
    expect(counts.submit).toBeGreaterThan(calls.length);
    await context.prepare(all);
    expect(counts).toMatchObject({ createComputePipelineAsync });
    device.destroy();
  });

  it.each(['cpu', 'webgpu'] as const)('%s: refuses async calls, and frees what they made', async (backend) => {
    const context = await createContext({ backend });
    const x = context.tensor(numbers);
    const calls = async () => {
      softmax(x);
      throw new Error('of which nobody hears');
    };
    const message = ': the calls may not be async: what follows an await is too late';
    await expect(context.prepare(calls)).rejects.toThrow(`context.prepare${message}`);
    expect(context.memory().tensors).toBe(1);
    context.dispose();
  });

  it.each(['cpu', 'webgpu'] as const)('%s: leaves results and optimizers as they were', async (backend) => {
    const context = await createContext({ backend });
    const [x, w, other, g] = [numbers, numbers, numbers, numbers].map((values) => context.tensor(values));
    const [own, fresh] = [adam({ learningRate: 0.1 }), adam({ learningRate: 0.1 })];
    own.step([w], [g]);
    fresh.step([other], [g]);
    const first = adam({ learningRate: 0.1 });
    await context.prepare(() => {
      softmax(x, { out: x });
      own.step([w], [g]);
      first.step([x], [g]);
    });
    expect(await x.array()).toEqual(numbers);
    expect((await own.state([w]))[0]!.step).toBe(1);
    expect(await first.state([x])).toEqual([null]);
    own.step([w], [g]);
    fresh.step([other], [g]);
    first.step([x], [g]);
    expect(await w.array()).toEqual(await other.array());
    await context.finished();
    for (const optimizer of [own, fresh, first]) optimizer.dispose();
    expect(context.memory().tensors).toBe(4);
    context.dispose();
  });

  it('compiles once what is called many times, or prepared twice at once', async () => {
    const device = await requestDevice();
    const context = await createContext({ device });
    const x = context.tensor(numbers);
    const counts = countCalls(device);
    const prepare = () => context.prepare(() => Array.from({ length: 5 }, () => argmax(x)));
    await Promise.all([prepare(), prepare()]);
    await prepare();
    expect(counts).toMatchObject({ createComputePipelineAsync: 1, createShaderModule: 1 });
    expect(await argmax(x).array()).toEqual([2, 2]);
    expect(counts.createComputePipeline).toBe(0);
    device.destroy();
  });

  it.each(['cpu', 'webgpu'] as const)('%s: leaves alone what others make while it waits', async (backend) => {
    using context = await createContext({ backend });
    const x = context.tensor(numbers);
    const waiting = context.prepare(() => crossEntropy(context.tensor(numbers), [0, 1], { gradient: true }));
    const y = argmax(x);
    await waiting;
    expect(await y.array()).toEqual([2, 2]);
    expect(context.memory().tensors).toBe(2);
  });

  it.each(['cpu', 'webgpu'] as const)('%s: passes errors on, and is over then', async (backend) => {
    using context = await createContext({ backend });
    const x = context.tensor(numbers);
    await context.finished();
    const before = context.memory();
    const failing = () => {
      softmax(context.tensor(numbers));
      topK(x, 9);
    };
    await expect(context.prepare(failing)).rejects.toThrow('topK: "k" must be an integer from 1 to 3, got 9');
    expect(context.memory()).toEqual(before);
    await expect(context.prepare(7 as never)).rejects.toThrow(
      new TypeError('context.prepare: takes a function that makes the calls, got 7'),
    );
    expect(await argmax(x).array()).toEqual([2, 2]);
  });

  it('has no results to read', async () => {
    const device = await requestDevice();
    const context = await createContext({ device });
    const counts = countCalls(device);
    const reads: Promise<unknown>[] = [];
    await context.prepare(() => {
      reads.push(errorOf(context.tensor([1, 2]).data()), errorOf(softmax(context.tensor([1, 2])).array()));
    });
    for (const error of await Promise.all(reads)) {
      expect(error).toMatchObject({ message: 'data: nothing is computed inside context.prepare' });
    }
    expect(counts.popErrorScope).toBe(counts.pushErrorScope);
    expect(await context.tensor([1, 2]).array()).toEqual([1, 2]);
    device.destroy();
  });
});

describe('a shader that does not compile', () => {
  it('rejects what it was to make with a ShaderError that names file and line', async () => {
    const device = await requestDevice();
    const createShaderModule = device.createShaderModule.bind(device);
    let broken = true;
    device.createShaderModule = (descriptor) => {
      const code = broken ? descriptor.code.replace('params.classes', 'params.clauses') : descriptor.code;
      return createShaderModule({ ...descriptor, code });
    };
    const context = await createContext({ device });
    const x = context.tensor(numbers);
    const described = /^(softmax|argmax)[^\n]* does not compile:\nshaders\/[\w/]+\.wgsl:\d+:\d+: .*clauses/;
    const p = softmax(x);
    const derived = argmax(p);
    broken = false;
    for (const result of [p, derived]) {
      const error = await errorOf(result.data());
      expect(error).toBeInstanceOf(ShaderError);
      expect((error as Error).message).toMatch(described);
    }
    await context.finished(); // it was told
    softmax(x);
    await expect(context.finished()).rejects.toThrow(ShaderError); // nobody read it
    await context.finished(); // told once
    broken = true;
    await expect(context.prepare(() => argmin(x))).rejects.toThrow(ShaderError);
    broken = false;
    expect(await logSumExp(x).data()).toHaveLength(2);
    device.destroy();
  });
});
