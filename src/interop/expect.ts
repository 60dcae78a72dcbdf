// What every adapter asks of a tensor that goes into another library, whose tensors begin where their buffers do.
import type { Context } from '../context.js';
import type { Tensor } from '../tensor.js';

/** The buffer of a tensor, for a library that takes these dtypes. */
export function expectBuffer(fn: string, tensor: Tensor, dtypes: readonly string[]): GPUBuffer {
  const { buffer, dtype, storage } = tensor;
  if (!buffer) throw new TypeError(`${fn}: "tensor" has no GPU buffer: its context computes on the CPU`);
  if (tensor.disposed) throw new TypeError(`${fn}: "tensor" was disposed`);
  if (!dtypes.includes(dtype)) throw new TypeError(`${fn}: "tensor" must be ${dtypes.join(' or ')}, got ${dtype}`);
  if (storage.byteOffset)
    throw new TypeError(`${fn}: "tensor" must begin where its buffer does, got byte ${storage.byteOffset}`);
  return buffer;
}

/** The device on which both libraries are to work. */
export function expectDevice(fn: string, context: Context): GPUDevice {
  if (context.device) return context.device;
  throw new TypeError(`${fn}: "context" computes on the CPU and has no GPU device: ${context.reason}`);
}
