// GPU buffers, pooled by usage and size, with a cap on what the pool keeps. A buffer may be given to new work as soon as the work
// that used it is submitted: the queue runs in order.

// By number: Node has no GPUBufferUsage until `globals` of the package `webgpu` is installed.
export const usage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;

/** What tensors are made of. */
export const storageUsage: number = usage.storage | usage.copySource | usage.copyTarget;
export const uniformUsage: number = usage.uniform | usage.copyTarget;
export const stagingUsage: number = usage.mapRead | usage.copyTarget;

/** Bytes that the pool keeps at most for later; what comes back beyond them is destroyed. */
export const defaultCap: number = 128 * 2 ** 20;

/** Sizes are rounded up to a quarter of a power of two, so that nearby shapes share buffers and at most a fifth lies idle. */
export function pooledSize(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #cap: number;
  /** Free buffers by usage and size. Map keeps the order of insertion, so the first list is the one longest unused. */
  readonly #free = new Map<string, GPUBuffer[]>();
  readonly #all = new Set<GPUBuffer>();
  #freeBytes = 0;
  #allocated = 0;

  constructor(device: GPUDevice, cap: number = defaultCap) {
    this.#device = device;
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
    const buffer = this.#device.createBuffer({ size, usage: usages, label });
    this.#all.add(buffer);
    this.#allocated += size;
    return buffer;
  }

  /** Takes a buffer back for later use, or destroys it where the pool is full. */
  give(buffer: GPUBuffer): void {
    if (!this.#all.has(buffer)) return;
    if (buffer.size > this.#cap) return this.destroy(buffer);
    const key = `${buffer.usage}:${buffer.size}`;
    const list = this.#free.get(key) ?? [];
    this.#free.delete(key);
    this.#free.set(key, list);
    list.push(buffer);
    this.#freeBytes += buffer.size;
    this.#trim();
  }

  /** Destroys a buffer that is in use, or whose creation failed. */
  destroy(buffer: GPUBuffer): void {
    if (!this.#all.delete(buffer)) return;
    this.#allocated -= buffer.size;
    buffer.destroy();
  }

  destroyAll(): void {
    for (const buffer of this.#all) buffer.destroy();
    this.#all.clear();
    this.#free.clear();
    this.#freeBytes = 0;
    this.#allocated = 0;
  }

  get buffers(): number {
    return this.#all.size;
  }

  get bytesAllocated(): number {
    return this.#allocated;
  }

  get bytesInUse(): number {
    return this.#allocated - this.#freeBytes;
  }

  #trim(): void {
    for (const [key, list] of this.#free) {
      while (this.#freeBytes > this.#cap && list.length) {
        const buffer = list.shift()!;
        this.#freeBytes -= buffer.size;
        this.destroy(buffer);
      }
      if (this.#freeBytes <= this.#cap) return;
      this.#free.delete(key);
    }
  }
}
