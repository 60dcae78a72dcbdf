// Room for tensors in a WebAssembly memory, which grows and is never given back until its context is.

import type { Heap, Kernels } from './kernels.js';

interface Span {
  start: number;
  bytes: number;
}

const page = 65536;
/** WebAssembly's own: 4 GiB. */
const most = 65536 * page;
/** Below lie what kernels keep for themselves, and the address 0, which stands for no array. */
const first = 1024;
/** Addresses are multiples of it, as vectors are. */
const unit = 16;

const rounded = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

/** Grows by an eighth at least, so that many small tensors do not make it grow at each. */
export class WasmHeap implements Heap {
  buffer: ArrayBuffer;
  readonly kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  /** Sorted by start, and no two touch. */
  readonly #free: Span[];

  constructor(memory: WebAssembly.Memory, kernels: Kernels) {
    this.#memory = memory;
    this.kernels = kernels;
    this.buffer = memory.buffer;
    this.#free = [{ start: first, bytes: this.buffer.byteLength - first }];
  }

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
