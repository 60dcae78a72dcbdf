import type { DType, Storage, Values } from './backend.js';
import type { Context } from './context.js';
import { DisposedError, ShapeError } from './errors.js';
import { arrayOf } from './numbers.js';
import { sizeOf } from './rows.js';
import { knownOptions, shown } from './validate.js';

/** Numbers in arrays of arrays, as `array()` gives them; a plain number for a scalar. */
export type NestedNumbers = number | NestedNumbers[];

/**
 * Numbers of one shape and dtype that live where their context does: in a GPU buffer or in an array.
 * Made by `context.tensor()`, `context.fromBuffer()` and by operations.
 */
export class Tensor {
  /** The lengths of the axes; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** How the numbers are stored. */
  readonly dtype: DType;
  /** The number of elements. */
  readonly size: number;
  /** Where it lives; operations take tensors of one context. */
  readonly context: Context;
  /** The name of the plan that computed it, such as `softmax/barrier-256x1` or `cpu`; empty for data that was brought in. */
  readonly plan: string;
  /** @internal */
  readonly storage: Storage;
  /** @internal Another number after each operation that wrote to it; NaN where its buffer is in others' hands too. */
  revision = 0;
  #disposed = false;

  /** @internal */
  constructor(context: Context, shape: readonly number[], storage: Storage, plan = '') {
    this.context = context;
    this.shape = Object.freeze([...shape]);
    this.dtype = storage.dtype;
    this.size = sizeOf(shape);
    this.storage = storage;
    this.plan = plan;
  }

  /**
   * The GPU buffer with the numbers, which may be larger than they are; null on the CPU. Do not destroy it. It is the tensor's until
   * `dispose()`, also where the tensor itself is dropped.
   * @throws DisposedError afterwards: by then others may have it
   */
  get buffer(): GPUBuffer | null {
    if (this.disposed) throw new DisposedError('buffer: the tensor was disposed');
    this.context.escaped(this);
    return this.storage.buffer;
  }

  /** Whether it, or its context, was disposed of. */
  get disposed(): boolean {
    return this.#disposed || this.context.disposed;
  }

  /**
   * The numbers, row by row: a Float32Array (float16 too), Int32Array, Uint32Array or Int8Array of `size` elements, the caller's to keep.
   * Rejects with DisposedError, DeviceLostError, OutOfMemoryError or ShaderError where the work behind it came to nothing.
   */
  data(): Promise<Values>;
  /**
   * The same, in an array that is there already. A loop that keeps one saves what first touches of new memory cost, which is most of the time
   * of a large result.
   * @param options.into of that kind and size; comes back filled. What it holds after a rejection is open.
   * @throws (rejects with) TypeError for another kind of array, ShapeError for another size
   */
  data<V extends Values>(options: { into?: V }): Promise<V>;
  async data(options?: { into?: Values }): Promise<Values> {
    knownOptions('data', options, ['into']);
    if (this.disposed) throw new DisposedError('data: the tensor was disposed');
    const into = options?.into;
    if (into !== undefined) this.#expectRoom(into);
    return this.context.read(this, into);
  }

  /** The numbers as nested arrays in the tensor's shape; a number for a scalar. */
  async array(): Promise<NestedNumbers> {
    return nested(await this.data(), this.shape);
  }

  /** Gives the memory back. Work that was queued with the tensor is still done. Twice is once. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.context.release(this);
  }

  #expectRoom(into: Values): void {
    const kind = arrayOf(this.dtype);
    if (!(into instanceof kind)) throw new TypeError(`data: "into" must be a ${kind.name}, got ${shown(into)}`);
    if (into.length === this.size) return;
    throw new ShapeError(`data: "into" must have ${this.size} elements, got ${into.length}`);
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function nested(values: Values, shape: readonly number[]): NestedNumbers {
  if (shape.length === 0) return values[0];
  if (shape.length === 1) return Array.from(values);
  const inner = shape.slice(1);
  const step = sizeOf(inner);
  return Array.from({ length: shape[0] }, (_, i) => nested(values.subarray(i * step, (i + 1) * step), inner));
}
