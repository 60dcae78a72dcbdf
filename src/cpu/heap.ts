// Room for tensors in a WebAssembly memory, which grows and is never given back until its context is.

import type { DType, Storage, Values } from '../backend.js';
import { arrayOf } from '../numbers.js';
import type { Heap } from './kernels.js';

interface Span {
  start: number;
  bytes: number;
}

const page = 65536;
/** WebAssembly's own: 4 GiB. */
const most = 65536 * page;
/** Below lie what kernels keep for themselves, and the address 0, which stands for no array. */
export const firstAddress = 1024;
/** Addresses are multiples of it, as vectors are. */
const unit = 16;

const rounded = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

/** Its view is made anew when the heap has grown, which has left the old one empty. */
class HeapStorage implements Storage {
  readonly buffer = null;
  readonly byteOffset = 0;
  readonly failure = null;
  readonly dtype: DType;
  readonly length: number;
  readonly heap: WasmHeap;
  readonly address: number;
  #values?: Values;

  constructor(dtype: DType, length: number, heap: WasmHeap, address: number) {
    this.dtype = dtype;
    this.length = length;
    this.heap = heap;
    this.address = address;
  }

  get values(): Values {
    const { buffer } = this.heap;
    if (this.#values?.buffer === buffer) return this.#values;
    this.#values = new (arrayOf(this.dtype))(buffer, this.address, this.length);
    return this.#values;
  }
}

/** Grows by an eighth at least, so that many small tensors do not make it grow at each. */
export class WasmHeap implements Heap {
  buffer: ArrayBuffer;
  readonly #memory: WebAssembly.Memory;
  readonly #onBuffer: (buffer: ArrayBuffer) => void;
  /** Sorted by start, and no two touch. */
  readonly #free: Span[];

  /**
   * @param onBuffer told of the memory's buffer, and of each that takes its place
   * @param first the address at which the heap begins
   */
  constructor(memory: WebAssembly.Memory, onBuffer: (buffer: ArrayBuffer) => void, first = firstAddress) {
    this.#memory = memory;
    this.#onBuffer = onBuffer;
    this.buffer = memory.buffer;
    onBuffer(this.buffer);
    this.#free = [{ start: first, bytes: this.buffer.byteLength - first }];
  }

  get bytes(): number {
    return this.buffer.byteLength;
  }

  allocate(dtype: DType, length: number): HeapStorage | null {
    const address = this.reserve(length * arrayOf(dtype).BYTES_PER_ELEMENT);
    return address === null ? null : new HeapStorage(dtype, length, this, address);
  }

  release(storage: Storage): boolean {
    if (!(storage instanceof HeapStorage)) return false;
    this.free(storage.address, storage.length * arrayOf(storage.dtype).BYTES_PER_ELEMENT);
    return true;
  }

  /** The address of as many bytes, or null where there is no room for them. */
  reserve(bytes: number): number | null {
    const size = rounded(Math.max(bytes, unit), unit);
    const span = this.#smallestFor(size) ?? this.#grown(size);
    if (!span) return null;
    const { start } = span;
    span.start += size;
    span.bytes -= size;
    if (span.bytes === 0) this.#free.splice(this.#free.indexOf(span), 1);
    return start;
  }

  free(address: number, bytes: number): void {
    this.#give(address, rounded(Math.max(bytes, unit), unit));
  }

  /** The first of the smallest that will do: a loop that takes and frees the same sizes finds the same places. */
  #smallestFor(size: number): Span | undefined {
    let best: Span | undefined;
    for (const span of this.#free) if (span.bytes >= size && !(best && best.bytes <= span.bytes)) best = span;
    return best;
  }

  #grown(size: number): Span | undefined {
    const end = this.buffer.byteLength;
    const last = this.#free.at(-1);
    const missing = size - (last && last.start + last.bytes === end ? last.bytes : 0);
    // What is asked for, where there is no room for an eighth.
    for (const wanted of [Math.max(missing, end / 8), missing]) {
      const bytes = rounded(wanted, page);
      if (end + bytes > most) continue;
      try {
        this.#memory.grow(bytes / page);
      } catch {
        continue;
      }
      this.buffer = this.#memory.buffer;
      this.#onBuffer(this.buffer);
      this.#give(end, bytes);
      return this.#free.at(-1);
    }
    return undefined;
  }

  #give(start: number, bytes: number): void {
    let at = this.#free.length;
    while (at > 0 && this.#free[at - 1].start > start) at--;
    const before = this.#free[at - 1];
    const after = this.#free[at];
    const joinsBefore = before && before.start + before.bytes === start;
    const joinsAfter = after && start + bytes === after.start;
    if (joinsBefore) before.bytes += bytes;
    if (joinsAfter) {
      if (joinsBefore) {
        before.bytes += after.bytes;
        this.#free.splice(at, 1);
      } else {
        after.start = start;
        after.bytes += bytes;
      }
    }
    if (!joinsBefore && !joinsAfter) this.#free.splice(at, 0, { start, bytes });
  }
}
