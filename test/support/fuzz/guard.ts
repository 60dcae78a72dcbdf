// A context under guard: everything that its operations write lies between canary words, and every tensor that it makes is known.

import { packHalf } from '../../../src/float16.ts';
import { type Context, Tensor } from '../../../src/index.ts';
import { usage } from '../device.ts';

type Spec = Pick<Tensor, 'dtype' | 'shape'>;
type Operation = { writes: Record<string, Tensor | Spec | undefined> };

const canary = 0xc0ffee01;
const words = { float32: 1, int32: 1, uint32: 1, float16: 2, int8: 4 } as const;
const wordsOf = ({ dtype, shape }: Spec) => Math.ceil(shape.reduce((a, b) => a * b, 1) / words[dtype]);

interface Region {
  readonly buffer: GPUBuffer;
  readonly first: number; // words
  readonly count: number;
  readonly what: string;
}

/** Words before and after a tensor, and where a GPU's begins: not at a multiple of 256 bytes, where bindings begin. */
const margin = 37;

export class Guard {
  readonly context: Context;
  /** Whether results are placed between canaries; else they lie where the context puts them. */
  around = true;
  #free: GPUBuffer[] = [];
  #regions: Region[] = [];
  #neighbours: { tensor: Tensor; what: string }[] = [];
  readonly #made: Tensor[] = [];

  constructor(context: Context) {
    this.context = context;
    const { run, tensor } = context as unknown as Record<string, (...args: unknown[]) => unknown>;
    const own = (value: unknown) => {
      this.#made.push(value as Tensor);
      return value;
    };
    Object.assign(context, {
      tensor: (...args: unknown[]) => own(tensor.apply(context, args)),
      run: (operation: Operation & { name: string }) => {
        const guarded = Object.entries(operation.writes).map(([name, wanted]) => {
          const spec = this.around && wanted !== undefined && !(wanted instanceof Tensor);
          return [name, spec ? this.place(wanted, `${operation.name}, ${name}`) : wanted];
        });
        const results = run.call(context, { ...operation, writes: Object.fromEntries(guarded) });
        for (const result of Object.values(results as object)) own(result);
        return results;
      },
    });
  }

  /** A tensor of that kind between canaries; its values are whatever they are, or what is given. */
  place(spec: Spec, what: string, values?: ArrayLike<number>): Tensor {
    const tensor = this.context.device ? this.#onGpu(spec, what, values) : this.#onCpu(spec, what, values);
    this.#made.push(tensor);
    return tensor;
  }

  #onCpu({ dtype, shape }: Spec, what: string, values?: ArrayLike<number>): Tensor {
    const guard = () => {
      const tensor = this.context.tensor(new Uint32Array(margin).fill(canary));
      this.#neighbours.push({ tensor, what });
    };
    guard();
    const size = shape.reduce((a, b) => a * b, 1);
    const tensor = this.context.tensor((values as Float32Array) ?? new Float32Array(size).fill(77), shape, { dtype });
    guard();
    return tensor;
  }

  #onGpu(spec: Spec, what: string, values?: ArrayLike<number>): Tensor {
    const { device } = this.context;
    const count = wordsOf(spec);
    const size = 4 * (count + 2 * margin);
    const at = this.#free.findIndex((buffer) => buffer.size >= size);
    const buffer =
      at >= 0 ? this.#free.splice(at, 1)[0] : device!.createBuffer({ size: Math.max(16384, size), usage: usage.all });
    const content = new Uint32Array(count + 2 * margin).fill(canary);
    if (values) content.set(packed(spec, values), margin);
    device!.queue.writeBuffer(buffer, 0, content);
    this.#regions.push({ buffer, first: margin, count, what });
    return this.context.fromBuffer(buffer, spec.shape, { dtype: spec.dtype, byteOffset: 4 * margin });
  }

  /** Throws where a canary is no longer what it was. */
  async check(): Promise<void> {
    for (const { tensor, what } of this.#neighbours) {
      const values = await tensor.data();
      if (values.some((word) => word !== canary)) throw new Error(`${what}: a neighbour was changed`);
    }
    const { device } = this.context;
    if (!device || this.#regions.length === 0) return;
    const total = this.#regions.reduce((sum, { count }) => sum + count + 2 * margin, 0);
    const staging = device.createBuffer({ size: 4 * total, usage: 0x1 | usage.copyTarget });
    const encoder = device.createCommandEncoder();
    let at = 0;
    for (const { buffer, count } of this.#regions) {
      encoder.copyBufferToBuffer(buffer, 0, staging, 4 * at, 4 * (count + 2 * margin));
      at += count + 2 * margin;
    }
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    const found = new Uint32Array(staging.getMappedRange());
    let from = 0;
    for (const { count, what } of this.#regions) {
      for (let i = 0; i < count + 2 * margin; i++) {
        if (i >= margin && i < margin + count) continue;
        if (found[from + i] === canary) continue;
        const place = i < margin ? `${margin - i} words before` : `${i - margin - count} words past`;
        throw new Error(`${what}: ${place} its memory stands 0x${found[from + i].toString(16)}`);
      }
      from += count + 2 * margin;
    }
    staging.destroy();
  }

  /** Frees every tensor that was made since the last time. */
  async clear(): Promise<void> {
    for (const tensor of this.#made) tensor.dispose();
    this.#made.length = 0;
    this.#neighbours = [];
    this.#free.push(...this.#regions.map(({ buffer }) => buffer));
    this.#regions = [];
    await this.context.finished();
  }

  dispose(): void {
    for (const buffer of this.#free) buffer.destroy();
    this.context.dispose();
  }
}

/** Values as the words of a tensor of a dtype. */
function packed({ dtype }: Spec, values: ArrayLike<number>): Uint32Array {
  if (dtype === 'float16') return new Uint32Array(packHalf(values).buffer);
  const array = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint32Array;
  return new Uint32Array(array.from(values).buffer);
}
