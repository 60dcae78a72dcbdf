// The peers. Each is imported when it is opened, so that one that is not installed (npm ci --prefix bench) fails alone.
import type { Openers } from '../contender.ts';

export const peers: Openers = {
  'tfjs-webgpu': async () => (await import('./tfjs.ts')).open('webgpu'),
  'tfjs-wasm': async () => (await import('./tfjs.ts')).open('wasm'),
  'onnxruntime-webgpu': async () => (await import('./onnxruntime.ts')).open('webgpu'),
  'onnxruntime-wasm': async () => (await import('./onnxruntime.ts')).open('wasm'),
  'jax-webgpu': async () => (await import('./jax.ts')).open('webgpu'),
  'jax-wasm': async () => (await import('./jax.ts')).open('wasm'),
};
