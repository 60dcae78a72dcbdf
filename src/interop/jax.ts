/**
 * jax-js beside crosshead on one GPU device, which is the library's: it takes no other. Tried with @jax-js/jax 0.1.25. Nothing of it is
 * imported here.
 * @example
 * await jax.init('webgpu')
 * jax.defaultDevice('webgpu')
 * const context = await createContext({ device: jax.getWebGPUDevice() })
 * @module crosshead/jax
 */
import type { Context } from '../context.js';
import type { Tensor } from '../tensor.js';
import { expectBuffer } from './expect.js';

/** What is used of a `jax.Array`. */
export interface JaxArray {
  /** One more reference: whatever is called on an array uses one up. */
  readonly ref: this;
  readonly shape: number[];
  readonly dtype: string;
  gpuBuffer(): Promise<GPUBuffer>;
}

/** What is used of the module `@jax-js/jax`. */
export interface Jax<T extends JaxArray> {
  readonly numpy: { array(values: Float32Array | Int32Array, options: { shape: number[] }): T };
}

const dtypes = ['float32', 'int32'] as const;
type SharedType = (typeof dtypes)[number];

/**
 * An array as a tensor, with no copy, once the library has submitted what it is made of. The array is not used up: its owner disposes of it
 * after the operations that read it are called. Not to be written to: the library may have more arrays in the same buffer.
 * @throws (rejects with) TypeError for another dtype, and on the CPU
 */
export async function fromJax(context: Context, array: JaxArray): Promise<Tensor> {
  const { dtype, shape } = array;
  if (!dtypes.includes(dtype as SharedType))
    throw new TypeError(`fromJax: "array" must be ${dtypes.join(' or ')}, got ${dtype}`);
  return context.fromBuffer(await array.ref.gpuBuffer(), [...shape], { dtype: dtype as SharedType });
}

/**
 * A tensor as an array: the library takes no buffers, so it is copied once, on the GPU, into one that the library has made.
 * @throws (rejects with) TypeError on the CPU, and for what is no tensor, of another dtype, or does not begin where its buffer does; DisposedError
 */
export async function toJax<T extends JaxArray>(jax: Jax<T>, tensor: Tensor): Promise<T> {
  const buffer = expectBuffer('toJax', tensor, dtypes);
  const values = tensor.dtype === 'int32' ? new Int32Array(tensor.size) : new Float32Array(tensor.size);
  const array = jax.numpy.array(values, { shape: [...tensor.shape] });
  const target = await array.ref.gpuBuffer();
  const device = tensor.context.device as GPUDevice;
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, target, 0, 4 * tensor.size);
  device.queue.submit([encoder.finish()]);
  return array;
}
