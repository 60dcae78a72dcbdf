/**
 * onnxruntime-web beside crosshead on one GPU device, with nothing copied: what a model gives is read by crosshead where it lies, and what
 * crosshead computes is a model's input. Tried with onnxruntime-web 1.30 (`onnxruntime-web/webgpu`). Nothing of it is imported here.
 *
 * One device for both, in one of two ways:
 * - crosshead's: `InferenceSession.create(model, sessionOptions(context))`. Setting `ort.env.webgpu.device` has no effect in 1.30.
 * - the library's: `createContext({ device: await deviceOf(ort) })`, once it has made a session of its own with 'webgpu'.
 * @module crosshead/onnxruntime
 */
import type { Context } from '../context.js';
import type { Tensor } from '../tensor.js';
import { expectBuffer, expectDevice } from './expect.js';

/** What is used of an `ort.Tensor`. */
export interface OnnxTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly location: string;
  readonly gpuBuffer: GPUBuffer;
}

/** What is used of the module `onnxruntime-web/webgpu`. */
export interface OnnxRuntime<T> {
  readonly env: { readonly webgpu: { readonly device?: GPUDevice | Promise<GPUDevice> } };
  readonly Tensor: {
    fromGpuBuffer(
      buffer: GPUBuffer,
      options: { dataType: 'float32' | 'float16' | 'int32' | 'uint32'; dims: readonly number[] },
    ): T;
  };
}

const dtypes = ['float32', 'float16', 'int32', 'uint32'] as const;
type SharedType = (typeof dtypes)[number];

/**
 * Options for `InferenceSession.create`: on the context's device, and with the outputs left there.
 * @throws TypeError on the CPU
 */
export function sessionOptions(context: Context): {
  executionProviders: { name: 'webgpu'; device: GPUDevice }[];
  preferredOutputLocation: 'gpu-buffer';
} {
  const device = expectDevice('sessionOptions', context);
  return { executionProviders: [{ name: 'webgpu', device }], preferredOutputLocation: 'gpu-buffer' };
}

/**
 * The library's own device, which it has from its first session with 'webgpu' on.
 * @throws (rejects with) TypeError before
 */
export async function deviceOf(ort: OnnxRuntime<unknown>): Promise<GPUDevice> {
  const device = await ort.env.webgpu.device;
  if (device) return device;
  throw new TypeError(
    'deviceOf: onnxruntime-web has no device yet: make a session with the execution provider "webgpu" first',
  );
}

/**
 * An output of a session as a tensor, with no copy. Its buffer stays the session's: call the operations that read it before
 * `output.dispose()`; they need not have run by then.
 * @throws TypeError for an output that is not on a GPU, or of another dtype, and on the CPU
 */
export function fromOnnx(context: Context, output: OnnxTensor): Tensor {
  const fn = 'fromOnnx';
  const { type, dims, location } = output;
  if (location !== 'gpu-buffer') {
    throw new TypeError(`${fn}: "output" must lie in a GPU buffer, got ${location}; see sessionOptions`);
  }
  if (!dtypes.includes(type as SharedType))
    throw new TypeError(`${fn}: "output" must be ${dtypes.join(', ')}, got ${type}; let the model cast it`);
  return context.fromBuffer(output.gpuBuffer, [...dims], { dtype: type as SharedType });
}

/**
 * A tensor as an input of a session, with no copy. It must not be disposed of before the session has run, and stays the caller's;
 * disposing of the `ort.Tensor` leaves its buffer alone.
 * @throws TypeError on the CPU, and for what is no tensor, of another dtype, or does not begin where its buffer does; DisposedError
 */
export function toOnnx<T>(ort: OnnxRuntime<T>, tensor: Tensor): T {
  const buffer = expectBuffer('toOnnx', tensor, dtypes);
  return ort.Tensor.fromGpuBuffer(buffer, { dataType: tensor.dtype as SharedType, dims: tensor.shape });
}
