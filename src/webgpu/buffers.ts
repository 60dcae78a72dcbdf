// GPU buffers, pooled by usage and size, with a cap on what the pool keeps. A buffer may be given to new work as soon as the work
// that used it is submitted: the queue runs in order.

import type { DType } from '../backend.js';

// By number: Node has no GPUBufferUsage until `globals` of the package `webgpu` is installed.
export const usage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;

/** Bytes of elements; what is copied and bound is rounded up to whole words. */
export const bytesOf = (dtype: DType, length: number): number =>
  length * (dtype === 'int8' ? 1 : dtype === 'float16' ? 2 : 4);
export const wholeWords = (bytes: number): number => bytes + (-bytes & 3);

/** What tensors are made of. */
export const storageUsage: number = usage.storage | usage.copySource | usage.copyTarget;
export const uniformUsage: number = usage.uniform | usage.copyTarget;
export const stagingUsage: number = usage.mapRead | usage.copyTarget;

/** Bytes that the pool keeps at most for later; what comes back beyond them is destroyed. */
export const defaultCap: number = 128 * 2 ** 20;

/** Sizes are rounded up to a quarter of a power of two, large ones to a MiB, so that nearby shapes share buffers and at most a fifth lies idle. */
export function pooledSize(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** Math.min(20, Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

/** Settles to what went wrong, or to null. */
export type Failure = Promise<Error | null>;

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #watch: () => () => Failure;
  readonly #cap: number;
  /** Free buffers by usage and size. Map keeps the order of insertion, so the first list is the one longest unused. */
  readonly #free = new Map<string, GPUBuffer[]>();
  readonly #all = new Set<GPUBuffer>();
  /** Buffers whose creation may still turn out to have failed. */
  readonly #pending = new Map<GPUBuffer, Failure>();
  /** Buffers that commands use which may not be submitted yet: how many recordings do, and whether the buffer came back meanwhile. */
  readonly #held = new Map<GPUBuffer, { uses: number; given: boolean }>();
  #freeBytes = 0;
  #allocated = 0;

  /** @param watch begins to watch the device for errors, and gives a function that ends it */
  constructor(device: GPUDevice, watch: () => () => Failure, cap: number = defaultCap) {
    this.#device = device;
    this.#watch = watch;
    this.#cap = cap;
  }

  /** A buffer of at least `bytes`. Its contents are what its last use left. */
  take(bytes: number, usages: number, label: string): GPUBuffer {
    const most = this.#device.limits.maxBufferSize;
    const size = Math.min(pooledSize(bytes), Math.max(bytes + (-bytes & 3), most));
    const key = `${usages}:${size}`;
    const pooled = this.#free.get(key)?.pop();
    if (pooled) {
      this.#freeBytes -= size;
      pooled.label = label;
      return pooled;
    }
    const end = this.#watch();
    const buffer = this.#device.createBuffer({ size, usage: usages, label });
    const failure = end();
    this.#all.add(buffer);
    this.#allocated += size;
    this.#pending.set(buffer, failure);
    void failure.then((error) => {
      this.#pending.delete(buffer);
      if (error) this.destroy(buffer);
    });
    return buffer;
  }

  /** What may have gone wrong when the buffer was made; null once it is known to be sound. */
  failureOf(buffer: GPUBuffer): Failure | null {
    return this.#pending.get(buffer) ?? null;
  }

  /** Takes a buffer back for later use, or destroys it where the pool is full. */
  give(buffer: GPUBuffer): void {
    if (!this.#all.has(buffer)) return;
    const held = this.#held.get(buffer);
    if (held) {
      held.given = true;
      return;
    }
    const key = `${buffer.usage}:${buffer.size}`;
    const list = this.#free.get(key) ?? [];
    this.#free.delete(key);
    this.#free.set(key, list);
    list.push(buffer);
    this.#freeBytes += buffer.size;
    while (this.#freeBytes > this.#cap) this.#dropOldest();
  }

  /** Keeps a buffer from being given to others until `unhold`, as often as this is called. */
  hold(buffer: GPUBuffer): void {
    const { uses, given } = this.#held.get(buffer) ?? { uses: 0, given: false };
    this.#held.set(buffer, { uses: uses + 1, given });
  }

  unhold(buffer: GPUBuffer): void {
    const held = this.#held.get(buffer);
    if (!held || --held.uses > 0) return;
    this.#held.delete(buffer);
    if (held.given) this.give(buffer);
  }

  destroy(buffer: GPUBuffer): void {
    if (!this.#all.delete(buffer)) return;
    const list = this.#free.get(`${buffer.usage}:${buffer.size}`) ?? [];
    if (list.includes(buffer)) {
      list.splice(list.indexOf(buffer), 1);
      this.#freeBytes -= buffer.size;
    }
    this.#allocated -= buffer.size;
    buffer.destroy();
  }

  destroyAll(): void {
    for (const buffer of this.#all) buffer.destroy();
    this.#all.clear();
    this.#free.clear();
    this.#held.clear();
    this.#freeBytes = 0;
    this.#allocated = 0;
  }

  report(): { buffers: number; bytesInUse: number; bytesAllocated: number } {
    return { buffers: this.#all.size, bytesInUse: this.#allocated - this.#freeBytes, bytesAllocated: this.#allocated };
  }

  #dropOldest(): void {
    for (const [key, [oldest]] of this.#free) {
      if (!oldest) this.#free.delete(key);
      else {
        this.destroy(oldest);
        return;
      }
    }
  }
}
