// The chunk that a context on the CPU loads; the loops come with the operations.

import { CpuBackend } from './backend.js';
import { type Heap, kernels } from './kernels.js';

/** A backend, with WebAssembly unless it is not wanted or cannot be had; and how it computes, in a sentence. */
export async function openCpu(simd: boolean): Promise<{ backend: CpuBackend; how: string }> {
  let [heap, how]: [Heap | null, string] = [null, 'in plain JavaScript: "simd" is false'];
  if (simd) {
    try {
      heap = await (await import('./simd.js')).openHeap(kernels);
      how = 'with WebAssembly SIMD';
    } catch (error) {
      how = `in plain JavaScript: ${error}`;
    }
  }
  return { backend: new CpuBackend(heap), how: `It computes ${how}.` };
}
