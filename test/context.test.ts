// Contexts: which backend is taken and why, and devices that are borrowed.
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  argmax,
  argmin,
  type ContextOptions,
  createContext,
  linear,
  logSumExp,
  softmax,
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
      reason: 'The CPU was asked for. It computes with WebAssembly SIMD.',
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
    expect(p.plan).toBe('softmax/barrier-16x8-held1');
    const weight = context.tensor(new Float32Array(5 * 40).fill(0.5), [5, 40]);
    const three = context.tensor(new Float32Array(3 * 40).fill(0.25), [3, 40]);
    expect(linear(x, weight).plan).toBe('linear_row/barrier-16x8-held1');
    const products = linear(three, weight);
    expect(products.plan).toBe('linear_tiled/barrier-16x8-held1');
    expect(await products.data()).toEqual(new Float32Array(15).fill(5));
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
    expect(auto).toMatchObject({ backend: 'cpu', reason: `${reason} It computes with WebAssembly SIMD.` });
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
      'createContext: unknown option "backends"; it takes backend, gpu, device, powerPreference, label, plan, simd, debug',
    ],
    [
      { powerPreference: 'high' },
      'createContext: "powerPreference" must be "low-power" or "high-performance", got "high"',
    ],
    [{ gpu: {} }, 'createContext: "gpu" must be a GPU, such as navigator.gpu'],
    [{ device: {} }, 'createContext: "device" must be a GPUDevice'],
    [{ device: {}, backend: 'cpu' }, 'createContext: "device" cannot be given with backend "cpu"'],
    [{ backend: 'cpu', label: 7 }, 'createContext: "label" must be a string, got 7'],
    [{ backend: 'cpu', debug: 1 }, 'createContext: "debug" must be a boolean, got 1'],
    [{ backend: 'cpu', simd: 1 }, 'createContext: "simd" must be a boolean, got 1'],
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
    expect(auto.reason).toMatch(/^The device that was given is lost \(.+\)\. /);
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
