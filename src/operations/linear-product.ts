// What the operations of a linear head have in common: their operands, and the product features x weight transposed.

import quadsAny from '../../shaders/lib/quads_any.wgsl';
import quadsWide from '../../shaders/lib/quads_wide.wgsl';
import linearKernel from '../../shaders/linear.wgsl';
import linearGradientKernel from '../../shaders/linear_gradient.wgsl';
import linearRowKernel from '../../shaders/linear_row.wgsl';
import linearTiledKernel from '../../shaders/linear_tiled.wgsl';
import type { Bound, Constants, DType, GpuWork, HostOperand, RowPass, Storage, Values } from '../backend.js';
import type { Context } from '../context.js';
import type { HeadArrays } from '../cpu/linear.js';
import { ShapeError } from '../errors.js';
import { type Rows, rowsOf } from '../rows.js';
import { Tensor } from '../tensor.js';
import { expectShape, shown } from '../validate.js';
import type { Part } from '../webgpu/link.js';
import { expectOf, expectTensor, floats, operand } from './operands.js';

/** A weight [C, D]; or a list of blocks of its rows, [C1, D], [C2, D], ..., where one buffer would be too large. */
export type Weight = Tensor | readonly Tensor[];

/** Options of every operation of a linear head. */
export interface LinearHeadOptions {
  /** One number a class: [C]. */
  bias?: Tensor | ArrayLike<number>;
  /** What the rows of an int8 weight are multiplied by, one number a class: [C]. */
  scales?: Tensor | ArrayLike<number>;
}

/** The operands of a linear head, checked. */
export interface LinearHead {
  readonly context: Context;
  readonly features: Tensor;
  readonly rows: Rows; // along the features
  readonly rowShape: readonly number[];
  readonly depth: number;
  readonly classes: number;
  readonly blocks: readonly Tensor[]; // of the weight
  /** `features`, `weight0`, `weight1`, ..., `bias` and `scales`. */
  readonly reads: Readonly<Record<string, Tensor | HostOperand | undefined>>;
}

const weights: readonly DType[] = [...floats, 'int8'];

/** Checks what all operations of a linear head share. */
export function linearHead(
  fn: string,
  name: string,
  value: Tensor,
  weight: Weight,
  options: LinearHeadOptions,
  of = 'weight',
): LinearHead {
  const features = expectTensor(fn, name, value);
  const { context, shape } = features;
  if (shape.length === 0) throw new ShapeError(`${fn}: "${name}" must have shape [..., D], got a scalar`);
  const depth = shape[shape.length - 1];
  const blocks = Array.isArray(weight) && weight[0] instanceof Tensor ? (weight as Tensor[]) : [weight as Tensor];
  for (const block of blocks) {
    expectOf(fn, of, block, context, weights);
    const [classes] = block.shape;
    if (block.shape.length !== 2)
      throw new ShapeError(`${fn}: "${of}" must have shape [C, D], got ${shown(block.shape)}`);
    expectShape(fn, of, block.shape, [classes, depth], `the ${name} being [..., D]`);
  }
  const classes = blocks.reduce((sum, { shape }) => sum + shape[0], 0);
  const { bias, scales } = options;
  const packed = blocks.some(({ dtype }) => dtype === 'int8');
  if (packed !== (scales !== undefined))
    throw new TypeError(
      `${fn}: "scales" ${packed ? 'must be given with an int8' : 'needs an int8'} weight, got ${shown(scales)}`,
    );
  const perClass = (name: string, value: unknown, dtypes: readonly DType[]) => {
    const dtype = value instanceof Tensor && dtypes.includes(value.dtype) ? value.dtype : 'float32';
    return value === undefined ? undefined : operand(fn, name, value, context, { dtype, shape: [classes] });
  };
  return {
    context,
    features,
    rows: rowsOf(shape, shape.length - 1),
    rowShape: shape.slice(0, -1),
    depth,
    classes,
    blocks,
    reads: {
      features,
      ...Object.fromEntries(blocks.map((block, i) => [`weight${i}`, block])),
      bias: perClass('bias', bias, floats),
      scales: perClass('scales', scales, ['float32']),
    },
  };
}

/** @throws RangeError for a head without classes */
export function expectClassesOf(fn: string, head: LinearHead): LinearHead {
  if (head.classes > 0) return head;
  throw new RangeError(`${fn}: the class axis of "weight", of shape ${shown(head.blocks[0].shape)}, is empty`);
}

/** The same operands as the CPU sees them. */
export const headArrays = ({ depth, classes, blocks }: LinearHead, arrays: Record<string, Values>): HeadArrays => ({
  depth,
  classes,
  features: arrays.features,
  blocks: blocks.map(({ shape }, i) => ({ weight: arrays[`weight${i}`], classes: shape[0] })),
  bias: arrays.bias,
  scales: arrays.scales,
});

/** Some classes that lie in one block of the weight and fit a binding. */
export interface ClassChunk {
  readonly block: number;
  /** The first of them, of all classes and of the block's. */
  readonly first: number;
  readonly firstOfBlock: number;
  readonly some: number;
}

/**
 * Cuts the classes into chunks of at most `most`, which begin at multiples of 4, so that rows of packed numbers begin at whole words. What is
 * left over comes first: the last chunk of a loss, which gradients need not make again, is a large one.
 */
export function classChunks({ blocks }: LinearHead, most: (block: Tensor) => number): ClassChunk[] {
  const chunks: ClassChunk[] = [];
  let before = 0;
  blocks.forEach((tensor, block) => {
    const [length] = tensor.shape;
    const step = Math.max(4, most(tensor) & ~3);
    let end = length % step ? Math.ceil((length % step) / 4) * 4 : step;
    for (let at = 0; at < length; at = end, end += step)
      chunks.push({ block, first: before + at, firstOfBlock: at, some: Math.min(end, length) - at });
    before += length;
  });
  return chunks;
}

/** What a chunk of classes binds: its rows of the weight, its biases and scales. */
export function chunkBindings({ depth }: LinearHead, storages: Record<string, Storage>, chunk: ClassChunk) {
  const { bias, scales } = storages;
  const own = (storage?: Storage): Bound | undefined => storage && [storage, 0, chunk.first, chunk.some];
  const weight: Bound = [storages[`weight${chunk.block}`], 0, chunk.firstOfBlock * depth, chunk.some * depth];
  return { weight, bias: own(bias), scales: own(scales) };
}

/** How a kernel reads rows of features and of a weight: the seam `quads`, and its constants. */
export function quadsOf(
  depth: number,
  ...operands: readonly Storage[]
): { seams: Record<string, Part>; constants: Constants } {
  const whole = depth > 0 && depth % 4 === 0;
  const wide = whole && operands.every((of) => of.dtype === 'float32' && of.length > 0 && of.byteOffset % 16 === 0);
  const constants = {
    WHOLE_QUADS: whole,
    INT8_WEIGHT: operands.some(({ dtype }) => dtype === 'int8'),
  };
  return { seams: { quads: wide ? quadsWide : quadsAny }, constants };
}

export interface Product {
  readonly rows: RowPass['rows'];
  readonly depth: number;
  readonly features: Bound;
  readonly weight: Bound;
  readonly bias?: Bound;
  readonly scales?: Bound;
  readonly output: Bound;
  /** Numbers from one row of the result to the next, where in a row to begin, and how many classes to make. */
  readonly stride: number;
  readonly first: number;
  readonly some: number;
  /** Whether a product that is not finite is NaN. */
  readonly strict?: boolean;
}

/** Records the product of some rows and some classes. */
export function linearProduct(gpu: GpuWork, product: Product): void {
  const { rows, depth, features, weight, bias, scales, output, stride, first, some } = product;
  const { seams, constants } = quadsOf(depth, features[0], weight[0]);
  const common = {
    rows: { ...rows, classes: stride },
    bindings: { features, weight, bias, scales, output },
    uniforms: { depth, first_class: first, some_classes: some },
    constants: { ...constants, STRICT: !!product.strict },
    seams,
  };
  const tiles = (tall: number, wide: number) => (count: number) => Math.ceil(count / tall) * Math.ceil(some / wide);
  if (rows.count <= 2) {
    gpu.rows({ ...common, kernel: linearRowKernel, pieces: { count: tiles(1, 8), length: depth } });
    return;
  }
  gpu.rows({
    ...common,
    kernel: linearKernel,
    pieces: { count: tiles(8, 4), length: depth },
    workgroups: (count) => Math.ceil(tiles(8, 4)(count) / 64),
    together: { kernel: linearTiledKernel, workgroups: tiles(32, 64) },
  });
}

/** Slopes (rows, classes) x weight (classes, depth), or where they are `turned`, transposed x weight (rows, depth), and their sums. */
export interface GradientProduct {
  readonly rows: number;
  readonly classes: number;
  readonly depth: number;
  readonly turned: boolean;
  /** Whether to add to what is there. */
  readonly adds: boolean;
  /** Numbers from one row of the slopes to the next; the classes by default. */
  readonly stride?: number;
  readonly bindings: RowPass['bindings'] & { readonly weight: Bound };
}

/** From so many tiles on, each has a lane of its own; lanes that share one have sums to put together. The weight's gradient has many in any case. */
const enoughTiles = 16_384;

/** Records what some slopes add to gradients. */
export function addGradient(gpu: GpuWork, product: GradientProduct): void {
  const { rows, classes, depth, turned, adds, stride, bindings } = product;
  if (!turned && depth === 0) return;
  const { seams, constants } = quadsOf(depth, bindings.weight[0]);
  const [tall, wide, steps] = turned ? [classes, bindings.gradient ? depth : 1, rows] : [rows, depth, classes];
  const tiles = Math.ceil(tall / 4) * Math.max(1, Math.ceil(wide / 8));
  const alone = turned || tiles >= enoughTiles;
  gpu.rows({
    kernel: linearGradientKernel,
    rows: { outer: 1, classes, inner: 1, count: 1 },
    bindings,
    uniforms: { rows, stride: stride ?? classes, depth, adds: adds ? 1 : 0 },
    seams,
    constants: { ...constants, TURNED: turned, ...(alone ? { LANES: 1, WORKGROUP: 64 } : {}) },
    pieces: { count: () => tiles, length: steps },
    workgroups: alone ? () => Math.ceil(tiles / 64) : undefined,
  });
}
