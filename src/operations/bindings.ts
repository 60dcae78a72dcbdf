// How kernels bind what tensors hold.

import type { Bound, DType, GpuWork, Storage } from '../backend.js';

/** What there is of it, so many numbers a row; all of them at every row where that is 0. */
export const bound = (storage: Storage | undefined, perRow = 0): Bound | undefined => storage && [storage, perRow];

/** How many rows of so many bytes a binding may hold. */
export const rowsABinding = (gpu: GpuWork, bytes: number): number =>
  Math.min(2 ** 30, Math.floor((gpu.maxBinding - 256) / Math.max(1, bytes)));

/** The same as a multiple of 4, so that rows of packed numbers begin at whole words; 4 at least, which the dispatcher may refuse. */
export const foursABinding = (gpu: GpuWork, bytes: number): number => Math.max(4, rowsABinding(gpu, bytes) & ~3);

/** Bytes of a number of a tensor. */
export const bytesEach = ({ dtype }: { readonly dtype: DType }): number =>
  dtype === 'int8' ? 1 : dtype === 'float16' ? 2 : 4;
