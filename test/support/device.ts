// Devices of a test's own, and counts of what is called on them. A null adapter throws, and so fails the test.

export async function requestAdapter(): Promise<GPUAdapter> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter: these tests need one');
  return adapter;
}

/** A device with default limits. */
export const requestDevice = async (): Promise<GPUDevice> => (await requestAdapter()).requestDevice();

/** A device that says it has no more than this, so that small tensors meet its limits. */
export async function limitedDevice(limits: Partial<GPUSupportedLimits>): Promise<GPUDevice> {
  const device = await requestDevice();
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup } = device.limits;
  const value = { maxBufferSize, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup, ...limits };
  return Object.defineProperty(device, 'limits', { value });
}

const methods = [
  'addEventListener',
  'createBuffer',
  'createComputePipeline',
  'createComputePipelineAsync',
  'createShaderModule',
  'destroy',
  'popErrorScope',
  'pushErrorScope',
] as const;

export type Counts = Record<(typeof methods)[number] | 'destroyBuffer' | 'submit', number>;

function wrap(target: object, method: string, called: (made: unknown) => void): void {
  const object = target as Record<string, (...args: unknown[]) => unknown>;
  const real = object[method].bind(target);
  object[method] = (...args) => {
    const made = real(...args);
    called(made);
    return made;
  };
}

/** How often each method is called from now on; `destroyBuffer` on the buffers that are made from now on. */
export function countCalls(device: GPUDevice): Counts {
  const counts = Object.fromEntries([...methods, 'destroyBuffer', 'submit'].map((name) => [name, 0])) as Counts;
  for (const method of methods) wrap(device, method, () => counts[method]++);
  wrap(device.queue, 'submit', () => counts.submit++);
  wrap(device, 'createBuffer', (buffer) => wrap(buffer as GPUBuffer, 'destroy', () => counts.destroyBuffer++));
  return counts;
}

/** Usages by number, as in src/webgpu/buffers.ts. */
export const usage = { copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80, all: 0x8c } as const;

/** The words of a buffer that tests filled: a copy, read past the library. */
export async function wordsOf(device: GPUDevice, buffer: GPUBuffer): Promise<Uint32Array> {
  const staging = device.createBuffer({ size: buffer.size, usage: 0x1 | usage.copyTarget });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const words = new Uint32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return words;
}

/** A device that says it is some hardware: no adapter is software by its own word then. */
export async function pretendedDevice(architecture: string): Promise<GPUDevice> {
  const value = { vendor: 'crosshead', architecture, device: '', description: '' };
  return Object.defineProperty(await requestDevice(), 'adapterInfo', { value });
}
