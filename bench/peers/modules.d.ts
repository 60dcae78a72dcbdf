// What is used of the peers, so that types are checked where they are not installed.

declare module '@tensorflow/tfjs-core' {
  export interface Tensor {
    data(): Promise<Float32Array>;
  }
  export function backend(): object;
  export const Reduction: { NONE: number };
  export const losses: {
    softmaxCrossEntropy(
      labels: Tensor,
      logits: Tensor,
      weights?: Tensor,
      smoothing?: number,
      reduction?: number,
    ): Tensor;
  };
  export function setBackend(name: string): Promise<boolean>;
  export function ready(): Promise<void>;
  export function tensor1d(values: Int32Array | Float32Array, dtype: 'int32' | 'float32'): Tensor;
  export function tensor2d(values: Float32Array, shape: [number, number]): Tensor;
  export function oneHot(indices: Tensor, depth: number): Tensor;
  export function cast(x: Tensor, dtype: 'float32'): Tensor;
  export function softmax(x: Tensor): Tensor;
  export function logSoftmax(x: Tensor): Tensor;
  export function argMax(x: Tensor, axis: number): Tensor;
  export function topk(x: Tensor, k: number): { values: Tensor; indices: Tensor };
  export function transpose(x: Tensor): Tensor;
  export function matMul(a: Tensor, b: Tensor): Tensor;
  export function add(a: Tensor, b: Tensor): Tensor;
  export function tidy<T>(f: () => T): T;
  export function dispose(tensors: Tensor[]): void;
  export function valueAndGrad(f: (x: Tensor) => Tensor): (x: Tensor) => { value: Tensor; grad: Tensor };
  export function valueAndGrads(
    f: (...xs: Tensor[]) => Tensor,
  ): (xs: Tensor[]) => { value: Tensor; grads: [Tensor, Tensor] };
}
declare module '@tensorflow/tfjs-core/dist/register_all_gradients';
declare module '@tensorflow/tfjs-backend-webgpu';
declare module '@tensorflow/tfjs-backend-wasm' {
  export function setWasmPaths(folder: string): void;
}

interface OnnxTensor {
  readonly dims: readonly number[];
  getData(): Promise<Float32Array | Int32Array | BigInt64Array>;
  dispose(): void;
}
type OnnxResults = Record<string, OnnxTensor>;
interface OnnxSession {
  run(feeds: OnnxResults): Promise<OnnxResults>;
  release(): Promise<void>;
}
interface OnnxSessionOptions {
  executionProviders: string[];
  preferredOutputLocation?: 'gpu-buffer';
  logSeverityLevel?: number;
  extra?: { session: Record<string, string> };
}

interface OnnxRuntime {
  env: { wasm: { numThreads?: number }; webgpu: { device: Promise<GPUDevice> } };
  Tensor: {
    new (type: 'float32' | 'int32', values: Float32Array | Int32Array, shape: readonly number[]): OnnxTensor;
    fromGpuBuffer(buffer: GPUBuffer, options: { dataType: 'float32' | 'int32'; dims: readonly number[] }): OnnxTensor;
  };
  InferenceSession: {
    create(model: Uint8Array, options: OnnxSessionOptions): Promise<OnnxSession>;
  };
}
declare module 'onnxruntime-web/webgpu' {
  const env: OnnxRuntime['env'];
  const Tensor: OnnxRuntime['Tensor'];
  const InferenceSession: OnnxRuntime['InferenceSession'];
}
declare module 'onnxruntime-web/wasm' {
  const env: OnnxRuntime['env'];
  const Tensor: OnnxRuntime['Tensor'];
  const InferenceSession: OnnxRuntime['InferenceSession'];
}

declare module '@jax-js/jax' {
  type Device = 'wasm' | 'webgpu';
  export interface Array {
    /** One more reference: an operation uses up what it is given. */
    readonly ref: Array;
    readonly shape: number[];
    add(other: Array): Array;
    sum(): Array;
    div(by: number): Array;
    data(): Promise<Float32Array | Int32Array>;
    blockUntilReady(): Promise<Array>;
    gpuBufferSync(): GPUBuffer;
    transpose(): Array;
    dispose(): void;
  }
  type Arrays = readonly Array[];
  export function init(...devices: Device[]): Promise<Device[]>;
  export function defaultDevice(device: Device): Device;
  export function getWebGPUDevice(): GPUDevice;
  export function jit<A extends Arrays, R extends Array[]>(f: (...args: A) => R): (...args: A) => R;
  type Loss = (x: Array, ...rest: Array[]) => Array;
  export function valueAndGrad(f: Loss): (...args: Array[]) => [Array, Array];
  export function valueAndGrad(f: Loss, of: { argnums: [0, 1] }): (...args: Array[]) => [Array, [Array, Array]];
  export const nn: { softmax(x: Array): Array; logSoftmax(x: Array): Array };
  export const lax: { topK(x: Array, k: number): [Array, Array] };
  export const numpy: {
    array(values: Float32Array | Int32Array, options: { shape: number[] }): Array;
    arange(count: number): Array;
    argmax(x: Array, axis: number): Array;
    equal(a: Array, b: Array): Array;
    matmul(a: Array, b: Array): Array;
    where(condition: Array, a: Array, b: number): Array;
  };
}
