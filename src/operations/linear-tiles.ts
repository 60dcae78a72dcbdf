// The logits of a linear head a tile at a time: some rows by some classes.

import type { Bound, GpuWork, RowPass, Storage } from '../backend.js';
import type { Rows } from '../rows.js';
import type { Part } from '../webgpu/link.js';
import { foursABinding, rowsABinding } from './bindings.js';
import { type ClassChunk, chunkBindings, classChunks, type LinearHead, linearProduct } from './linear-product.js';

/** Numbers of the logits that exist at a time: 1.5 MiB, a size that the pool of buffers does not round up. */
const tileSize = 3 * 2 ** 17;
/** For gradients, 11 MiB: what the last tile holds after the loss is not made again. */
const gradientTileSize = 11 * 2 ** 18;
/** Rows of a tile at most: as many as use each weight that is loaded. */
const mostRows = 256;
/** Words of a row's state (shaders/lib/linear_state.wgsl). */
export const stateWords = 16;

/** Rows that lie together. */
export interface RowBlock {
  readonly first: number;
  readonly count: number;
}

/** The tiles of a call. */
export interface Tiles {
  readonly gpu: GpuWork;
  readonly storages: Record<string, Storage>;
  readonly head: LinearHead;
  readonly rowBlocks: readonly RowBlock[];
  readonly chunks: readonly ClassChunk[];
  /** The most classes of a chunk. */
  readonly width: number;
  readonly tile: Storage;
  /** One a row. */
  readonly states: Storage;
}

export const asRows = (count: number, classes: number): Rows => ({ outer: count, classes, inner: 1, count });
/** What some rows hold, `each` of a row. */
export const some = (storage: Storage | undefined, { first, count }: RowBlock, each = 1): Bound | undefined =>
  storage && [storage, 0, first * each, count * each];

/**
 * @param rowBytes of what else is bound by rows
 * @param gradients whether gradients are asked for
 * @param classNumbers of what else there is to be room for, a class
 */
export function tilesOf(
  gpu: GpuWork,
  storages: Record<string, Storage>,
  head: LinearHead,
  rowBytes = 0,
  gradients = false,
  classNumbers = 0,
): Tiles {
  const { depth, rows } = head;
  const fits = (bytes: number) => rowsABinding(gpu, bytes);
  const tall = foursABinding(gpu, Math.max(4 * depth, 4 * stateWords, rowBytes));
  const height = Math.min(rows.count, mostRows, tall);
  const rowBlocks: RowBlock[] = [];
  for (let first = 0; first < rows.count; first += height)
    rowBlocks.push({ first, count: Math.min(height, rows.count - first) });
  const size = gradients ? gradientTileSize : tileSize;
  const room = Math.floor(Math.min(size / Math.max(1, height), tileSize / classNumbers));
  const chunks = classChunks(head, () => Math.min(room, fits(4 * height), fits(4 * depth)));
  const width = Math.max(0, ...chunks.map((chunk) => chunk.some));
  return {
    gpu,
    storages,
    head,
    rowBlocks,
    chunks,
    width,
    tile: gpu.scratch('float32', height * width),
    states: gpu.scratch('uint32', rows.count * stateWords),
  };
}

/** Makes the logits of a tile. */
export function makeLogits({ gpu, storages, head, tile }: Tiles, rows: RowBlock, chunk: ClassChunk): void {
  linearProduct(gpu, {
    rows: asRows(rows.count, chunk.some),
    depth: head.depth,
    ...chunkBindings(head, storages, chunk),
    features: some(storages.features, rows, head.depth)!,
    output: [tile, 0],
    stride: chunk.some,
    first: 0,
    some: chunk.some,
    strict: true,
  });
}

/** Records a kernel that reads a tile as its input. */
export function tilePass(
  { gpu, tile }: Tiles,
  kernel: Part,
  rows: RowBlock,
  chunk: ClassChunk,
  rest: Partial<RowPass>,
): void {
  gpu.rows({
    ...rest,
    kernel,
    rows: asRows(rows.count, chunk.some),
    bindings: { input: [tile, 0], ...rest.bindings },
    uniforms: { ...rest.uniforms, first_class: chunk.first },
  });
}
