/**
 * TensorFlow.js beside crosshead on one GPU device. Tried with @tensorflow/tfjs-core and tfjs-backend-webgpu 4.22. Nothing of it is imported
 * here.
 *
 * One device for both: crosshead's, by `await shareDevice(tf, WebGPUBackend, context)`; or the library's, by
 * `createContext({ device: tf.backend().device })`.
 * @module crosshead/tfjs
 */
import type { Context } from '../context.js';
import type { Tensor } from '../tensor.js';
import { expectBuffer, expectDevice } from './expect.js';

/** What is used of a `tf.Tensor`. */
export interface TfjsTensor {
  readonly shape: number[];
  readonly dtype: string;
  dataToGPU(): { readonly buffer?: GPUBuffer; readonly tensorRef: { dispose(): void } };
}

/** What is used of the module `@tensorflow/tfjs-core`. */
export interface Tfjs<T> {
  copyRegisteredKernels(from: string, to: string): void;
  registerBackend(name: string, make: () => never, priority?: number): boolean;
  setBackend(name: string): Promise<boolean>;
  tensor(data: { buffer: GPUBuffer; zeroCopy: boolean }, shape: number[], dtype: 'float32' | 'int32'): T;
}

const dtypes = ['float32', 'int32'] as const;
type SharedType = (typeof dtypes)[number];

/**
 * Makes the library compute on the context's device, by a backend of the name 'crosshead'.
 * @param WebGPUBackend of `@tensorflow/tfjs-backend-webgpu`
 * @throws (rejects with) TypeError on the CPU, Error where the library could not start its backend
 */
export async function shareDevice(
  tf: Pick<Tfjs<unknown>, 'copyRegisteredKernels' | 'registerBackend' | 'setBackend'>,
  WebGPUBackend: new (device: GPUDevice, info?: never) => unknown,
  context: Context,
): Promise<void> {
  const device = expectDevice('shareDevice', context);
  tf.copyRegisteredKernels('webgpu', 'crosshead'); // kernels belong to a name, not to a class
  tf.registerBackend('crosshead', () => new WebGPUBackend(device, context.adapterInfo as never) as never, 9);
  if (!(await tf.setBackend('crosshead')))
    throw new Error('shareDevice: TensorFlow.js could not start its WebGPU backend');
}

/**
 * A `tf.Tensor` as a tensor: the library copies it on the GPU, and submits what it held back. The copy is given back to the library by
 * `dispose()`, once the operations that read it are called.
 * @throws TypeError for another dtype, a tensor of another backend, and on the CPU
 */
export function fromTfjs(context: Context, given: TfjsTensor): { tensor: Tensor; dispose(): void } {
  const fn = 'fromTfjs';
  if (!dtypes.includes(given.dtype as SharedType))
    throw new TypeError(`${fn}: "given" must be ${dtypes.join(' or ')}, got ${given.dtype}`);
  const { buffer, tensorRef } = given.dataToGPU();
  if (!buffer) {
    tensorRef.dispose();
    throw new TypeError(`${fn}: "given" must be of a WebGPU backend`);
  }
  try {
    const tensor = context.fromBuffer(buffer, given.shape, { dtype: given.dtype as SharedType });
    const dispose = () => {
      tensor.dispose();
      tensorRef.dispose();
    };
    return { tensor, dispose };
  } catch (error) {
    tensorRef.dispose();
    throw error;
  }
}

/**
 * A tensor as a `tf.Tensor`, with no copy. The library holds commands back, so dispose of the tensor only after what was made of it was read,
 * or taken by `fromTfjs`; disposing of the `tf.Tensor` leaves its buffer alone.
 * @throws TypeError on the CPU, and for what is no tensor, of another dtype, or does not begin where its buffer does; DisposedError
 */
export function toTfjs<T>(tf: Pick<Tfjs<T>, 'tensor'>, tensor: Tensor): T {
  const buffer = expectBuffer('toTfjs', tensor, dtypes);
  return tf.tensor({ buffer, zeroCopy: true }, [...tensor.shape], tensor.dtype as SharedType);
}
