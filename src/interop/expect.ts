// What every adapter asks of a tensor that goes into another library, whose tensors begin where their buffers do.
import type { Context } from '../context.js';
import type { Tensor } from '../tensor.js';

/** The buffer of a tensor, for a library that takes these dtypes. */
export function expectBuffer(fn: string, tensor: Tensor, dtypes: readonly string[]): GPUBuffer {
  const { dtype, storage } = tensor;
  if (!storage) throw new TypeError(`${fn}: "tensor" must be a Tensor`);
  if (tensor.disposed) return tensor.buffer!; // which throws: the class of the error is the library's, and nothing of it is imported here
  if (!storage.buffer) throw new TypeError(`${fn}: "tensor" has no GPU buffer: its context computes on the CPU`);
  if (!dtypes.includes(dtype)) throw new TypeError(`${fn}: "tensor" must be ${dtypes.join(' or ')}, got ${dtype}`);
  if (storage.byteOffset)
    throw new TypeError(`${fn}: "tensor" must begin where its buffer does, got byte ${storage.byteOffset}`);
  return tensor.buffer!; // asked for last: a tensor whose buffer somebody has is nobody's to free
}

/** The device on which both libraries are to work. */
export function expectDevice(fn: string, context: Context): GPUDevice {
  if (context.device) return context.device;
  throw new TypeError(`${fn}: "context" computes on the CPU and has no GPU device: ${context.reason}`);
}
