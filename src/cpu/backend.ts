import type { Backend, DType, LostInfo, MemoryReport, Spec, Storage, Values, Work } from '../backend.js';
import { roundAll } from '../float16.js';
import { arrayOf } from '../numbers.js';
import { sizeOf } from '../rows.js';
import type { Heap } from './kernels.js';
import { loops } from './loops.js';

interface CpuStorage extends Storage {
  readonly values: Values;
}

/** Runs work at once, on arrays: in the memory of WebAssembly where there is a heap with room, which is where the kernels reach them. */
export class CpuBackend implements Backend {
  readonly name = 'cpu';
  readonly device = null;
  readonly adapterInfo = null;
  readonly lost: Promise<LostInfo>;
  #lose!: (info: LostInfo) => void;
  #arrays = 0;
  #bytes = 0;
  /** Bytes of tensors for which the heap had no room. */
  #outside = 0;
  #heap: Heap | null;
  #preparing = false;

  constructor(heap: Heap | null) {
    this.#heap = heap;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  allocate({ dtype, shape }: Spec): Storage {
    const length = sizeOf(shape);
    const storage = this.#heap?.allocate(dtype, length) ?? this.#outsideHeap(dtype, length);
    this.#arrays++;
    this.#bytes += length * arrayOf(dtype).BYTES_PER_ELEMENT;
    return storage;
  }

  upload(spec: Spec, values: Values): Storage {
    const storage = this.allocate(spec);
    storage.values!.set(values);
    if (spec.dtype === 'float16') roundAll(storage.values!);
    return storage;
  }

  release(storage: Storage): void {
    const bytes = storage.length * arrayOf(storage.dtype).BYTES_PER_ELEMENT;
    this.#arrays--;
    this.#bytes -= bytes;
    if (!this.#heap?.release(storage)) this.#outside -= bytes;
  }

  run(work: Work): string {
    if (this.#preparing) return 'cpu';
    const storages = Object.entries({ ...work.reads, ...work.writes });
    const arrays = Object.fromEntries(storages.map(([name, s]) => [name, (s as CpuStorage).values]));
    work.check?.expect(arrays[work.check.of]);
    work.cpu(arrays, loops);
    for (const { dtype, values } of Object.values(work.writes)) if (dtype === 'float16') roundAll(values!);
    return 'cpu';
  }

  async prepare(calls: () => void): Promise<void> {
    // Nothing is compiled here; the calls are made all the same, so that their errors show, and do nothing.
    this.#preparing = true;
    try {
      calls();
    } finally {
      this.#preparing = false;
    }
  }

  async read(storage: Storage, into?: Values): Promise<Values> {
    const { values } = storage as CpuStorage;
    into?.set(values);
    return into ?? new (values.constructor as Float32ArrayConstructor)(values); // of 64 MB, in two thirds of the time of slice()
  }

  async finished(): Promise<void> {}

  memory(): Omit<MemoryReport, 'tensors'> {
    const bytesAllocated = this.#outside + (this.#heap?.bytes ?? 0);
    return { buffers: this.#arrays, bytesInUse: this.#bytes, bytesAllocated };
  }

  dispose(): void {
    this.#heap = null;
    this.#lose({ reason: 'destroyed', message: 'The context was disposed.' });
  }

  #outsideHeap(dtype: DType, length: number): Storage {
    const values = new (arrayOf(dtype))(length);
    this.#outside += values.byteLength;
    return { dtype, length, values, buffer: null, byteOffset: 0, failure: null };
  }
}
