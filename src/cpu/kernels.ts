// Where the loops of this folder find WebAssembly for their arrays: each heap (heap.ts) enters the buffer in which its tensors live. The
// kernels themselves come in a chunk of their own (simd.ts), which a page on a GPU never loads.

import type { Values } from '../backend.js';

/**
 * What wasm/ exports. Arrays are addresses in the heap, 0 for one that the call does not have; classes lie side by side.
 */
export interface Kernels {
  argExtremeRows(x: number, indices: number, rows: number, classes: number, least: boolean): void;
  crossEntropyRows(
    logits: number,
    targets: number,
    classWeights: number,
    sampleWeights: number,
    upstream: number,
    losses: number,
    gradient: number,
    correct: number,
    logSumExps: number,
    rows: number,
    classes: number,
    none: boolean,
    divisor: number,
    ignores: boolean,
    ignoreIndex: number,
    zLoss: number,
    temperature: number,
  ): number;
  linearRows(
    features: number,
    weight: number,
    bias: number,
    result: number,
    rows: number,
    depth: number,
    classes: number,
  ): void;
  logSoftmaxRows(logits: number, result: number, rows: number, classes: number, inverseTemperature: number): void;
  softmaxRows(logits: number, result: number, rows: number, classes: number, inverseTemperature: number): void;
  topKRows(x: number, values: number, indices: number, rows: number, classes: number, k: number): void;
}

/** A memory in which tensors live; `reserve` and `free` are of its allocator. */
export interface Heap {
  /** Replaced by another when the memory grows; views of the old one are then empty. */
  readonly buffer: ArrayBuffer;
  readonly kernels: Kernels;
  /** The address of as many bytes, or null where there is no room for them. */
  reserve(bytes: number): number | null;
  free(address: number, bytes: number): void;
}

const known = new WeakMap<ArrayBufferLike, Kernels>();

/** Called again whenever a heap has another buffer. */
export function enter({ buffer, kernels }: Heap): void {
  known.set(buffer, kernels);
}

/** The kernels for arrays that all live in one heap, or undefined. Those that the call does not have are left out. */
export function kernelsOf(first: Values, ...others: (Values | null | undefined)[]): Kernels | undefined {
  const kernels = known.get(first.buffer);
  return kernels && others.every((array) => !array || array.buffer === first.buffer) ? kernels : undefined;
}

/** Where an array lies in its heap. */
export const addressOf = (array: Values | null | undefined): number => array?.byteOffset ?? 0;
