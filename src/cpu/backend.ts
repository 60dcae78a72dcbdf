import type { Backend, LostInfo, MemoryReport, Spec, Storage, Values, Work } from '../backend.js';
import { roundAll, valuesOf } from '../numbers.js';
import { sizeOf } from '../rows.js';

interface CpuStorage extends Storage {
  readonly values: Values;
}

/** Runs work at once, on arrays. */
export class CpuBackend implements Backend {
  readonly name = 'cpu';
  readonly device = null;
  readonly adapterInfo = null;
  readonly lost: Promise<LostInfo>;
  #lose!: (info: LostInfo) => void;
  #arrays = 0;
  #bytes = 0;

  constructor() {
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  allocate(spec: Spec): Storage {
    return this.#hold(spec, valuesOf(spec.dtype, sizeOf(spec.shape)));
  }

  upload(spec: Spec, values: Values): Storage {
    return this.#hold(spec, values); // already a copy of the caller's
  }

  release(storage: Storage): void {
    this.#arrays--;
    this.#bytes -= (storage as CpuStorage).values.byteLength;
  }

  run(work: Work): string {
    const storages = Object.entries({ ...work.reads, ...work.writes });
    const arrays = Object.fromEntries(storages.map(([name, s]) => [name, (s as CpuStorage).values]));
    work.check?.expect(arrays[work.check.of]);
    work.cpu(arrays);
    for (const { dtype, values } of Object.values(work.writes)) if (dtype === 'float16') roundAll(values!);
    return 'cpu';
  }

  async prepare(calls: () => void): Promise<void> {
    // Nothing is compiled here; the calls are made all the same, so that their errors show.
    calls();
  }

  async read(storage: Storage): Promise<Values> {
    return (storage as CpuStorage).values.slice();
  }

  async finished(): Promise<void> {}

  memory(): Omit<MemoryReport, 'tensors'> {
    return { buffers: this.#arrays, bytesInUse: this.#bytes, bytesAllocated: this.#bytes };
  }

  dispose(): void {
    this.#lose({ reason: 'destroyed', message: 'The context was disposed.' });
  }

  #hold({ dtype }: Spec, values: Values): CpuStorage {
    this.#arrays++;
    this.#bytes += values.byteLength;
    return { dtype, length: values.length, values, buffer: null, byteOffset: 0, failure: null };
  }
}
