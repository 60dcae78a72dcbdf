// The chunk that a context on the CPU loads: the kernels of wasm/, compiled once, and a heap for each context.

import { WasmHeap } from './heap.js';
import type { Heap, Kernels } from './kernels.js';
import { binary } from './simd-binary.js';

let compiled: Promise<WebAssembly.Module> | undefined;

/** @throws (rejects) where the engine knows no SIMD, a content-security policy refuses WebAssembly, or there is no memory */
export async function openHeap(): Promise<Heap> {
  compiled ??= WebAssembly.compile(Uint8Array.from(atob(binary), (character) => character.charCodeAt(0)));
  const memory = new WebAssembly.Memory({ initial: 16 });
  const { exports } = await WebAssembly.instantiate(await compiled, { env: { memory } });
  return new WasmHeap(memory, exports as unknown as Kernels);
}
