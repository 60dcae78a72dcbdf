// What a user's program writes: compiled by test/node/types.test.ts against the published types, and never run.
import {
  ClassificationHead,
  type Context,
  type CrossEntropyResult,
  CrossheadError,
  createContext,
  crossEntropy,
  DeviceLostError,
  type Plan,
  softmax,
  type Tensor,
  topK,
} from 'crosshead';

const plan: Plan = { reduce: 'none', lanes: 1, rows: 64 };
export const context: Context = await createContext({ backend: 'auto', gpu: navigator.gpu, plan: () => plan });
export const device: GPUDevice | null = context.device;
using logits: Tensor = context.tensor([[2, 1, 0.1]], undefined, { dtype: 'float16', label: 'logits' });
export const buffer: GPUBuffer | null = logits.buffer;
export const result: CrossEntropyResult = crossEntropy(logits, new Int32Array(1), {
  reduction: 'none',
  gradient: true,
});
export const numbers: Float32Array | Int32Array | Uint32Array | Int8Array = await topK(
  softmax(logits),
  2,
).values.data();
const head = ClassificationHead.fromWeights(context, { weight: [[1], [2]], labels: ['cat', 'dog'] });
const [[best]] = await head.predict([[1]], { topK: 1 });
export const label: string = best.label;
export const known: boolean = new DeviceLostError('lost') instanceof CrossheadError;

// @ts-expect-error: no such reduction
crossEntropy(logits, [0], { reduction: 'avg' });
// @ts-expect-error: no such option
softmax(logits, { dim: 1 });
// @ts-expect-error: made by createContext()
context.run({});
