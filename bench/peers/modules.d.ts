// What is used of the peers, so that types are checked where they are not installed.

declare module '@tensorflow/tfjs-core' {
  export interface Tensor {
    data(): Promise<Float32Array>;
  }
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
  export function tensor1d(values: Int32Array, dtype: 'int32'): Tensor;
  export function tensor2d(values: Float32Array, shape: [number, number]): Tensor;
  export function oneHot(indices: Tensor, depth: number): Tensor;
  export function cast(x: Tensor, dtype: 'float32'): Tensor;
  export function softmax(x: Tensor): Tensor;
  export function tidy<T>(f: () => T): T;
  export function dispose(tensors: Tensor[]): void;
  export function valueAndGrad(f: (x: Tensor) => Tensor): (x: Tensor) => { value: Tensor; grad: Tensor };
}
declare module '@tensorflow/tfjs-core/dist/register_all_gradients';
declare module '@tensorflow/tfjs-backend-webgpu';
declare module '@tensorflow/tfjs-backend-wasm' {
  export function setWasmPaths(folder: string): void;
}

interface OnnxTensor {
  getData(): Promise<Float32Array>;
}
interface OnnxRuntime {
  Tensor: new (type: 'float32', values: Float32Array, shape: readonly number[]) => OnnxTensor;
  InferenceSession: {
    create(
      model: Uint8Array,
      options: { executionProviders: string[] },
    ): Promise<{ run(feeds: Record<string, OnnxTensor>): Promise<Record<string, OnnxTensor>> }>;
  };
}
declare module 'onnxruntime-web/webgpu' {
  const Tensor: OnnxRuntime['Tensor'];
  const InferenceSession: OnnxRuntime['InferenceSession'];
}
declare module 'onnxruntime-web/wasm' {
  const Tensor: OnnxRuntime['Tensor'];
  const InferenceSession: OnnxRuntime['InferenceSession'];
}
