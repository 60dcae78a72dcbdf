// Who computes the cases. Names alone; who opens them stands in own.ts and peers/.
import type { Contender } from './types.ts';

export const allContenders: readonly Contender[] = [
  { id: 'crosshead-webgpu', label: 'crosshead, WebGPU', kind: 'crosshead', device: 'gpu' },
  { id: 'crosshead-cpu', label: 'crosshead, CPU', kind: 'crosshead', device: 'cpu' },
  { id: 'tfjs-webgpu', label: 'TensorFlow.js, WebGPU', kind: 'peer', device: 'gpu' },
  { id: 'tfjs-wasm', label: 'TensorFlow.js, wasm', kind: 'peer', device: 'cpu' },
  { id: 'onnxruntime-webgpu', label: 'ONNX Runtime, WebGPU', kind: 'peer', device: 'gpu' },
  { id: 'onnxruntime-wasm', label: 'ONNX Runtime, wasm', kind: 'peer', device: 'cpu' },
  { id: 'jax-webgpu', label: 'jax-js, WebGPU', kind: 'peer', device: 'gpu' },
  { id: 'jax-wasm', label: 'jax-js, wasm', kind: 'peer', device: 'cpu' },
  { id: 'copy', label: 'copy of the same bytes', kind: 'limit', device: 'gpu' },
  { id: 'plain', label: 'plain loop', kind: 'plain', device: 'cpu' },
];

/** Contenders whose id is one of `words` or begins with one: `tfjs`, `crosshead-webgpu`. All where there are none. */
export const contendersLike = (words: readonly string[]): Contender[] =>
  allContenders.filter(({ id }) => words.length === 0 || words.some((word) => id.startsWith(word)));
