// Contexts: which backend is taken and why, devices that are borrowed, lost and disposed of, and what is compiled ahead.
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  argmax,
  argmin,
  type Context,
  type ContextOptions,
  createContext,
  crossEntropy,
  DeviceLostError,
  DisposedError,
  linear,
  logSoftmax,
  logSumExp,
  ShaderError,
  sigmoid,
  softmax,
  type Tensor,
  topK,
  WebGPUUnavailableError,
} from '../src/index.ts';
import { countCalls, requestAdapter, requestDevice, usage } from './support/device.ts';
import { errorOf } from './support/errors.ts';

const onGpu = (options: ContextOptions = {}) => createContext({ backend: 'webgpu', ...options });

/** A `GPU` whose one adapter is the real one, but for what is said otherwise. */
async function gpuWith(adapter: Partial<Record<'info' | 'requestDevice', unknown>>): Promise<GPU> {
  const real = await requestAdapter();
  const { info, features, limits } = real;
  const requestDevice = (descriptor: GPUDeviceDescriptor) => real.requestDevice(descriptor);
  return { requestAdapter: async () => ({ info, features, limits, requestDevice, ...adapter }) } as unknown as GPU;
}

const refusing = (error: unknown) => async () => {
  throw error;
};

describe('which backend', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('the CPU where it is asked for', async () => {
    const context = await createContext({ backend: 'cpu' });
    expect(context).toMatchObject({
      backend: 'cpu',
      device: null,
      adapterInfo: null,
      reason: 'The CPU was asked for.',
    });
  });

  it("'webgpu' takes a software adapter, 'auto' leaves it", async () => {
    const gpu = await gpuWith({ info: { vendor: 'google', architecture: 'swiftshader', device: '', description: '' } });
    const taken = await onGpu({ gpu });
    expect(taken.backend).toBe('webgpu');
    expect(taken.reason).toMatch(/software adapter.* google swiftshader/);
    expect(taken.device).not.toBeNull();
    expect(taken.adapterInfo).toMatchObject({ architecture: 'swiftshader' });
    taken.dispose();
    const left = await createContext({ gpu: await gpuWith({ info: { vendor: 'any', isFallbackAdapter: true } }) });
    expect(left).toMatchObject({ backend: 'cpu', device: null, adapterInfo: null });
    expect(left.reason).toMatch(/software.* any.* the CPU is faster/);
  });

  it("'auto' and 'webgpu' with the adapter that is here", async () => {
    const { info } = await requestAdapter();
    const software = info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${info.architecture} ${info.description}`);
    const auto = await createContext();
    expect(auto.backend).toBe(software ? 'cpu' : 'webgpu');
    expect(auto.reason).toMatch(software ? /software.* the CPU is faster/ : /^WebGPU/);
    auto.dispose();
    const gpu = await onGpu();
    expect(gpu.backend).toBe('webgpu');
    expect(gpu.reason).toContain(info.vendor);
    expect(gpu.device).toBeTruthy();
    gpu.dispose();
  });

  it("'auto' takes a hardware adapter, and its plans", async () => {
    const hardware = { vendor: 'acme', architecture: 'fast', device: '', description: 'Acme Fast 9' };
    const context = await createContext({ gpu: await gpuWith({ info: hardware }) });
    expect(context.reason).toContain('acme fast (Acme Fast 9)');
    const x = context.tensor([Array.from({ length: 40 }, (_, i) => i / 10)]); // 40 classes: more than an invocation's share
    const p = softmax(x);
    expect(p.plan).toBe('softmax/barrier-32x4');
    const cpu = await createContext({ backend: 'cpu' });
    const expected = await softmax(cpu.tensor(await x.data(), [1, 40])).data();
    (await p.data()).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 6);
    });
    context.dispose();
  });

  it.each<[string, () => Promise<GPU | undefined>, string]>([
    ['no navigator.gpu', async () => undefined, 'There is no WebGPU here: navigator.gpu is missing.'],
    [
      'a null adapter',
      async () => ({ requestAdapter: async () => null }) as unknown as GPU,
      'There is no WebGPU here: the browser offers no adapter.',
    ],
    [
      'requestAdapter rejecting',
      async () => ({ requestAdapter: refusing(new Error('blocked')) }) as unknown as GPU,
      'WebGPU failed to give a device: blocked',
    ],
    [
      'requestDevice rejecting',
      () =>
        gpuWith({ info: { vendor: 'acme' }, requestDevice: refusing(new DOMException('consumed', 'OperationError')) }),
      'WebGPU failed to give a device: consumed',
    ],
    [
      'requestDevice throwing what is no error',
      () => gpuWith({ info: { vendor: 'acme' }, requestDevice: refusing('no') }),
      'WebGPU failed to give a device: no',
    ],
  ])("%s: 'auto' takes the CPU, 'webgpu' throws", async (_, make, reason) => {
    const gpu = await make();
    if (!gpu) vi.stubGlobal('navigator', {});
    const auto = await createContext({ gpu });
    expect(auto).toMatchObject({ backend: 'cpu', reason });
    expect(await softmax(auto.tensor([0, 0])).array()).toEqual([0.5, 0.5]);
    const error = await errorOf(onGpu({ gpu }));
    expect(error).toBeInstanceOf(WebGPUUnavailableError);
    expect(error).toMatchObject({ name: 'WebGPUUnavailableError', message: `createContext: ${reason}` });
  });

  it('asks for the power that it is told to, and for what the adapter has', async () => {
    const asked: unknown[] = [];
    const adapter = await requestAdapter();
    const requestDevice = (descriptor: GPUDeviceDescriptor) => {
      asked.push(descriptor);
      return adapter.requestDevice(descriptor);
    };
    const { info, features, limits } = adapter;
    const requestAdapterOf = async (options: unknown) => {
      asked.push(options);
      return { info, features, limits, requestDevice };
    };
    const gpu = { requestAdapter: requestAdapterOf } as unknown as GPU;
    const context = await onGpu({ gpu, powerPreference: 'low-power', label: 'mine' });
    expect(asked[0]).toEqual({ powerPreference: 'low-power' });
    expect(asked[1]).toMatchObject({ label: 'mine', requiredLimits: { maxBufferSize: limits.maxBufferSize } });
    expect(context.device!.limits.maxStorageBufferBindingSize).toBe(limits.maxStorageBufferBindingSize);
    context.dispose();
  });

  it.each<[unknown, string]>([
    [{ backend: 'gpu' }, 'createContext: "backend" must be "auto", "webgpu" or "cpu", got "gpu"'],
    [{ backend: null }, 'createContext: "backend" must be "auto", "webgpu" or "cpu", got null'],
    [
      { backends: 'cpu' },
      'createContext: unknown option "backends"; it takes backend, gpu, device, powerPreference, label, plan',
    ],
    [
      { powerPreference: 'high' },
      'createContext: "powerPreference" must be "low-power" or "high-performance", got "high"',
    ],
    [{ gpu: {} }, 'createContext: "gpu" must be a GPU, such as navigator.gpu'],
    [{ device: {} }, 'createContext: "device" must be a GPUDevice'],
    [{ device: {}, backend: 'cpu' }, 'createContext: "device" cannot be given with backend "cpu"'],
    [{ backend: 'cpu', label: 7 }, 'createContext: "label" must be a string, got 7'],
    [{ backend: 'cpu', plan: 'fast' }, 'createContext: "plan" must be a function, got "fast"'],
    ['cpu', 'createContext: options must be an object, got "cpu"'],
    [null, 'createContext: options must be an object, got null'],
  ])('refuses %j', async (options, message) => {
    const error = await errorOf(createContext(options as ContextOptions));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toBe(message);
  });

  it('labels what it makes', async () => {
    const device = await requestDevice();
    const labels: (string | undefined)[] = [];
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      labels.push(descriptor.label);
      return createBuffer(descriptor);
    };
    const context = await createContext({ device, label: 'mine' });
    softmax(context.tensor([1, 2], undefined, { label: 'scores' }));
    context.tensor([1, 2]);
    expect(labels).toEqual(expect.arrayContaining(['scores', 'mine: context.tensor', 'mine: softmax.probabilities']));
    device.destroy();
  });
});

describe('a borrowed device', () => {
  it('is left as it was: no handler, no open error scope, not destroyed', async () => {
    const device = await requestDevice();
    const heard: unknown[] = [];
    const handler = (event: GPUUncapturedErrorEvent) => heard.push(event.error.message);
    device.onuncapturederror = handler;
    const counts = countCalls(device);
    const context = await createContext({ device });
    expect(context).toMatchObject({ backend: 'webgpu', reason: 'A WebGPU device was given.' });
    expect(context.device).toBe(device);

    const x = context.tensor([[1, 2, 3]]);
    expect(await argmax(x).array()).toEqual([2]);
    // Work that the device refuses, and work that we refuse: neither leaves a scope behind, nor reaches the handler.
    const foreign = await requestDevice();
    const theirs = context.fromBuffer(foreign.createBuffer({ size: 256, usage: usage.all }), [1, 3]);
    await expect(softmax(theirs).data()).rejects.toThrow('The device refused the work');
    await expect(theirs.data()).rejects.toThrow('The device refused the work');
    softmax(theirs);
    await expect(context.finished()).rejects.toThrow('The device refused the work'); // nobody read it
    expect(() => topK(x, 4)).toThrow(RangeError);
    await context.prepare(() => logSumExp(x));
    await context.finished();
    expect(counts.popErrorScope).toBe(counts.pushErrorScope);
    expect(counts.pushErrorScope).toBeGreaterThan(0);

    context.dispose();
    expect(counts).toMatchObject({ destroy: 0, addEventListener: 0, destroyBuffer: counts.createBuffer });
    expect(device.onuncapturederror).toBe(handler);
    expect(heard).toEqual([]);
    // It still works, and a popped scope too many rejects: none was open.
    await expect(device.popErrorScope()).rejects.toThrow();
    const again = await createContext({ device });
    expect(await softmax(again.tensor([0, 0])).array()).toEqual([0.5, 0.5]);
    device.destroy();
    foreign.destroy();
  });

  it('serves two contexts, whose tensors and disposal are their own', async () => {
    const device = await requestDevice();
    const [a, b] = [await createContext({ device }), await createContext({ device })];
    const [x, y] = [a.tensor([[1, 3]]), b.tensor([[3, 1]])];
    expect(() => linear(x, y)).toThrow(new TypeError('linear: "weight" is a tensor of another context'));
    const reads = [argmax(x).array(), argmax(y).array()];
    expect(await Promise.all(reads)).toEqual([[1], [0]]);
    a.dispose();
    expect(await argmin(y).array()).toEqual([1]);
    expect(a.disposed).toBe(true);
    expect(b.disposed).toBe(false);
    device.destroy();
  });

  it('that is lost is none', async () => {
    const device = await requestDevice();
    device.destroy();
    await device.lost;
    const auto = await createContext({ device });
    expect(auto.backend).toBe('cpu');
    expect(auto.reason).toMatch(/^The device that was given is lost \(.+\)\.$/);
    await expect(onGpu({ device })).rejects.toThrow(WebGPUUnavailableError);
  });

  it('that is not ours keeps its context.lost until the context is disposed of', async () => {
    const device = await requestDevice();
    const context = await createContext({ device });
    context.dispose();
    expect(await context.lost).toEqual({ reason: 'destroyed', message: 'The context was disposed.' });
    device.destroy();
  });
});

/** One call of every operation, each with one result. */
const calls: [name: string, call: (x: Tensor) => Tensor][] = [
  ['softmax', (x) => softmax(x)],
  ['logSoftmax', (x) => logSoftmax(x)],
  ['logSumExp', (x) => logSumExp(x)],
  ['sigmoid', (x) => sigmoid(x)],
  ['argmax', (x) => argmax(x)],
  ['topK', (x) => topK(x, 2).indices],
  ['linear', (x) => linear(x, x, { bias: [0, 1] })],
  ['crossEntropy', (x) => crossEntropy(x, [0, 2], { gradient: true }).gradient!],
  ['crossEntropy, validated', (x) => crossEntropy(x, argmax(x), { validate: true }).loss],
];
const numbers = [
  [1, 2, 3],
  [0, -1, 4],
];

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
