// Twin of shaders/linear.wgsl, linear_row.wgsl and linear_tiled.wgsl.

import type { Values } from '../backend.js';
import type { Numbers } from './add-product.js';
import { kernels, mostTile } from './kernels.js';

/** A linear head, its weight in blocks of rows. */
export interface HeadArrays {
  readonly depth: number;
  readonly classes: number;
  readonly features: Values; // (rows, depth)
  readonly blocks: readonly { readonly weight: Values; readonly classes: number }[]; // (classes, depth)
  readonly bias?: Values; // (classes)
  readonly scales?: Values; // (classes)
}

/** Some classes of block `index` of the weight: they begin at class `at` of the block, and at class `first` of all. */
export interface ClassBlock {
  readonly index: number;
  readonly weight: Values;
  readonly at: number;
  readonly first: number;
  readonly some: number;
}

/** features (rows, depth) x weight (classes, depth) transposed + bias (classes) -> result (rows, classes) */
export function linearRows(head: HeadArrays, rows: number, result: Values): void {
  const { features, blocks, bias = null, scales, depth, classes } = head;
  const [{ weight }] = blocks;
  const plain = blocks.length === 1 && !scales && weight instanceof Float32Array;
  if (plain && kernels.get(features.buffer)?.linearRows(features, weight, bias, result, depth, classes, false)) return;
  const { room, rowBlocks, classBlocks } = tilesOf(head, rows);
  for (const block of classBlocks()) {
    for (const [from, to] of rowBlocks(0, rows)) {
      const tile = room(from, to, block);
      logitsOf(head, from, to, block, tile);
      for (let r = from, start = 0; r < to; r++, start += block.some)
        result.set(tile.subarray(start, start + block.some), r * head.classes + block.first);
    }
  }
}

/** Numbers that stay in a cache: 128 kB, of logits and of the weights they are made of, which stay there from row to row. */
const cached = 32_768;
const [fewestClasses, mostClasses] = [256, 512];

/** A head's logits, some rows and classes at a time. */
export interface Tiles {
  /** Whether every block has room of its own. */
  readonly kept: boolean;
  /** Whether the room is of floats, where the kernels reach it: if they can make the logits. */
  readonly isFloat: boolean;
  /** Room for the logits of some rows and a block. */
  room(from: number, to: number, block: ClassBlock): Float32Array | Float64Array;
  /** Cuts the rows from `first` up to `end` into what a tile holds. */
  rowBlocks(first: number, end: number): Generator<readonly [from: number, to: number]>;
  /** Goes over the classes in their order. */
  classBlocks(): Generator<ClassBlock>;
}

export function tilesOf({ features, blocks, scales, depth, classes }: HeadArrays, rows: number): Tiles {
  // What is done for each row and block is done less often where blocks are large, as those of few rows and features may be.
  const classesAtOnce = mostClasses * Math.max(rows, depth) <= cached ? mostClasses : fewestClasses;
  const rowsAtOnce = Math.min(rows, Math.floor(cached / classesAtOnce));
  // All of them, as of the heads of most pages: gradients then need not make them again.
  const kept = rows * classes <= mostTile;
  const length = kept ? rows * classes : rowsAtOnce * classesAtOnce;
  const { buffer } = features;
  const plain = !scales && blocks.every(({ weight }) => weight instanceof Float32Array && weight.buffer === buffer);
  const tile = (plain && kernels.get(buffer)?.tile(length)) || new Float64Array(length);
  return {
    kept,
    isFloat: tile instanceof Float32Array,
    room(from, to, { first, some }) {
      const start = kept ? rows * first + from * some : 0;
      return tile.subarray(start, start + (to - from) * some);
    },
    *rowBlocks(first, end) {
      for (let from = first; from < end; from += rowsAtOnce) yield [from, Math.min(end, from + rowsAtOnce)];
    },
    *classBlocks() {
      let before = 0;
      for (const [index, { weight, classes }] of blocks.entries()) {
        for (let at = 0; at < classes; at += classesAtOnce)
          yield { index, weight, at, first: before + at, some: Math.min(classesAtOnce, classes - at) };
        before += classes;
      }
    },
  };
}

/**
 * The logits of some rows and classes: (to - from, block.some).
 * @param strict a product that is not finite is NaN, so that only a bias masks a class
 */
export function logitsOf(
  head: HeadArrays,
  from: number,
  to: number,
  block: ClassBlock,
  logits: Float32Array | Float64Array,
  strict = false,
): void {
  const { bias, scales, features, depth } = head;
  const { weight, at, first, some } = block;
  const kernel = logits instanceof Float32Array ? kernels.get(logits.buffer) : undefined;
  const made = kernel?.linearRows(
    features.subarray(from * depth, to * depth),
    weight.subarray(at * depth, (at + some) * depth),
    scales ? null : (bias?.subarray(first, first + some) ?? null),
    logits as Float32Array,
    depth,
    some,
    strict && !scales,
  );
  if (made && !scales) return;
  for (let r = from, start = 0; r < to; r++, start += some) {
    if (!made) products(head, r, block, logits, start);
    for (let c = 0; c < some; c++) {
      const product = logits[start + c] * (scales?.[first + c] ?? 1);
      // What is beyond float32 is not finite on the GPU either.
      const sound = !strict || Number.isFinite(Math.fround(product));
      logits[start + c] = sound ? product + (bias?.[first + c] ?? 0) : Number.NaN;
    }
  }
}

/** Row r of the features times some classes of the weight: four at once, so that a feature is loaded once for four. */
function products(
  { features, depth }: HeadArrays,
  r: number,
  { weight, at, some }: ClassBlock,
  into: Numbers,
  to: number,
): void {
  const start = r * depth;
  for (let c = 0; c < some; c += 4) {
    const [i, j, k, l] = [0, 1, 2, 3].map((next) => (at + Math.min(c + next, some - 1)) * depth);
    let [a, b, e, f] = [0, 0, 0, 0];
    for (let d = 0; d < depth; d++) {
      const x = features[start + d];
      a += x * weight[i + d];
      b += x * weight[j + d];
      e += x * weight[k + d];
      f += x * weight[l + d];
    }
    into[to + c] = a;
    if (c + 1 < some) into[to + c + 1] = b;
    if (c + 2 < some) into[to + c + 2] = e;
    if (c + 3 < some) into[to + c + 3] = f;
  }
}
