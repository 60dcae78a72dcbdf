// Where the loops of this folder find WebAssembly for their arrays. What is there for it comes in a chunk of its own (simd.ts), which a page
// on a GPU never loads.

import type { DType, Storage, Values } from '../backend.js';
import type { Rows } from '../rows.js';
import type { Numbers } from './add-product.js';
import type { CrossEntropyArrays, CrossEntropySettings } from './cross-entropy.js';
import type { Reducing } from './row-loss.js';

/** Each stands for the loop of its name: it returns whether it has done the work, and where it has not, it has done nothing. */
export interface Kernels {
  addProduct(
    a: Numbers,
    turned: boolean,
    b: Values,
    sums: Numbers,
    rows: number,
    depth: number,
    columns: number,
  ): boolean;
  argExtremeRows(x: Values, indices: Values, rows: Rows, least: boolean): boolean;
  crossEntropyRows(arrays: CrossEntropyArrays, rows: Rows, settings: CrossEntropySettings, reducing: Reducing): boolean;
  linearRows(
    features: Values,
    weight: Values,
    bias: Values | null,
    result: Values,
    depth: number,
    classes: number,
    strict: boolean,
  ): boolean;
  softmaxRows(logits: Values, result: Values, rows: Rows, temperature: number, log: boolean): boolean;
  /** Gives two numbers a row of a tile: its maximum, and the sum of the others' exponentials beside it, which is NaN of a row without. */
  sumRows(tile: Float32Array, rows: number, classes: number, temperature: number): Float64Array;
  /** Room for two numbers a row of a tile. */
  pairs(rows: number): Float64Array;
  /** Puts exponentials in the place of logits: beside the first of two numbers a row, times the second. */
  scaledRows(tile: Float32Array, pairs: Float64Array, classes: number, temperature: number): void;
  /** Room for so many floats in the memory that the kernels reach, for one loop at a time; null where it has no such room. */
  tile(length: number): Float32Array | null;
  topKRows(x: Values, values: Values, indices: Values, rows: Rows, k: number): boolean;
}

/** A WebAssembly memory in which tensors live. */
export interface Heap {
  readonly bytes: number;
  /** Null where there is no room. */
  allocate(dtype: DType, length: number): (Storage & { readonly values: Values }) | null;
  /** @returns whether the storage is of this heap */
  release(storage: Storage): boolean;
}

/** Floats that `tile` has room for: 1 MB. */
export const mostTile = 262_144;

/** By the buffer of a heap, which is another when the heap has grown. */
export const kernels = new WeakMap<ArrayBufferLike, Kernels>();
