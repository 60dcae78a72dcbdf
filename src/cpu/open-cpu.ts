// What a context on the CPU loads, beside the loops that come with the operations.

import { CpuBackend } from './backend.js';
import { type Heap, kernels, mostTile } from './kernels.js';

/**
 * A backend, with WebAssembly unless it is not wanted or cannot be had; and how it computes, in a sentence.
 * @param simd the file of the heap, which may fail to come; null where it is not wanted
 */
export async function openCpu(
  simd: Promise<typeof import('./simd.js')> | null,
): Promise<{ backend: CpuBackend; how: string }> {
  let [heap, how]: [Heap | null, string] = [null, 'in plain JavaScript: "simd" is false'];
  if (simd) {
    try {
      heap = await (await simd).openHeap(kernels, mostTile);
      how = 'with WebAssembly SIMD';
    } catch (error) {
      how = `in plain JavaScript: ${error}`;
    }
  }
  return { backend: new CpuBackend(heap), how: `It computes ${how}.` };
}
