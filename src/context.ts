import type {
  Backend,
  DType,
  GpuWork,
  HostOperand,
  LostInfo,
  MemoryReport,
  Spec,
  Storage,
  Values,
  Work,
} from './backend.js';
import { CpuBackend } from './cpu/backend.js';
import { type Heap, kernels } from './cpu/kernels.js';
import { DisposedError, WebGPUUnavailableError } from './errors.js';
import { fromNumbers, type NumberArray } from './numbers.js';
import { sizeOf } from './rows.js';
import { type NestedNumbers, Tensor } from './tensor.js';
import { choice, knownOptions, number, positive, shown, validShape } from './validate.js';
import type { Planner } from './webgpu/plan.js';
import type { TuneReport } from './webgpu/tune.js';

/** Where a context is to compute. */
export interface ContextOptions {
  /** 'auto' (default): WebGPU on a hardware adapter, the CPU otherwise. 'webgpu' takes any adapter, and throws where there is none. */
  backend?: 'auto' | 'webgpu' | 'cpu';
  /** Where adapters come from: `navigator.gpu` by default; in Node, `create([])` of the package `webgpu`. */
  gpu?: GPU;
  /** A device that another library made. It is never destroyed or reconfigured. */
  device?: GPUDevice;
  powerPreference?: GPUPowerPreference;
  /** A name for the device and the tensors' buffers, as graphics debuggers show it. */
  label?: string;
  /** On the CPU, whether to use WebAssembly SIMD, where it can be had; true by default. */
  simd?: boolean;
  /** Chooses the variant of a kernel in place of the default plan; for tests, benchmarks and tuning. */
  plan?: Planner;
}

/** How `context.tensor` is to hold its numbers. */
export interface TensorOptions {
  /** float32 by default; int32 for an Int32Array, uint32 for a Uint32Array. An Int8Array too is float32, where 'int8' is not asked for. */
  dtype?: DType;
  /** A name for the buffer, as graphics debuggers show it. */
  label?: string;
}

/** How `context.tune` is to measure. */
export interface TuneOptions {
  /** Milliseconds to measure for, in all; 100 by default. What compiles meanwhile does not count. */
  budget?: number;
  /** Ends it between two measurements. */
  signal?: AbortSignal;
}

/** What an operation hands to its context: see src/backend.ts. */
export interface Operation<W extends string> {
  readonly name: string;
  readonly reads: Readonly<Record<string, Tensor | HostOperand | undefined>>;
  /** Results: an existing tensor (`out`), or what to make; undefined for what is not asked for. */
  readonly writes: Readonly<Record<W, Tensor | Spec | undefined>>;
  readonly check?: Work['check'];
  cpu(arrays: Record<string, Values>): void;
  gpu(gpu: GpuWork, storages: Record<string, Storage>): void;
}

const dtypes: readonly DType[] = ['float32', 'float16', 'int32', 'uint32', 'int8'];

/**
 * A place to compute: one GPU device, or the CPU. Tensors belong to the context that made them.
 * Made by `createContext()`.
 */
export class Context {
  /** Where the work is done. */
  readonly backend: 'webgpu' | 'cpu';
  /** Why it is done there, in a sentence. */
  readonly reason: string;
  /** The GPU device; null on the CPU. */
  readonly device: GPUDevice | null;
  readonly adapterInfo: GPUAdapterInfo | null;
  /** Settles when the device is lost, or the context disposed of. */
  readonly lost: Promise<LostInfo>;
  /** @internal What it was made of: a training whose device is lost makes another like it. */
  readonly options: ContextOptions;
  readonly #backend: Backend;
  readonly #label: string;
  readonly #tensors = new Set<Tensor>();
  /** Those made by the calls that are being made, where they may have to be freed. */
  #made: Tensor[] | null = null;
  #disposed = false;

  /** @internal */
  constructor(backend: Backend, reason: string, label: string, options: ContextOptions = {}) {
    this.options = options;
    this.#backend = backend;
    this.backend = backend.name;
    this.reason = reason;
    this.device = backend.device;
    this.adapterInfo = backend.adapterInfo;
    this.lost = backend.lost;
    this.#label = label;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * A tensor with a copy of `data`.
   * @param data a typed array, or numbers in arrays of arrays, or one number
   * @param shape may be left out for nested arrays and for one dimension
   * @throws ShapeError where the data does not fill the shape or is ragged; TypeError for a wrong kind of data or dtype
   */
  tensor(data: NumberArray | NestedNumbers, shape?: readonly number[], options: TensorOptions = {}): Tensor {
    const fn = 'context.tensor';
    this.#alive(fn);
    knownOptions(fn, options, ['dtype', 'label']);
    const dtype = options.dtype === undefined ? undefined : choice(fn, 'dtype', options.dtype, dtypes, 'float32');
    const operand = fromNumbers(fn, 'data', data, shape === undefined ? undefined : validShape(fn, shape), dtype);
    return this.#keep(
      new Tensor(
        this,
        operand.shape,
        this.#backend.upload(operand, operand.values, options.label ?? `${this.#label}${fn}`),
      ),
    );
  }

  /**
   * A tensor over a caller's GPU buffer, with no copy. The buffer stays the caller's, is never destroyed here, and may be larger.
   * @param buffer with usage STORAGE, and COPY_SRC if `data()` is to be called; of the context's own device
   * @param options.byteOffset where the tensor begins, a multiple of 4
   */
  fromBuffer(
    buffer: GPUBuffer,
    shape: readonly number[],
    options: { dtype?: DType; byteOffset?: number } = {},
  ): Tensor {
    const fn = 'context.fromBuffer';
    this.#alive(fn);
    knownOptions(fn, options, ['dtype', 'byteOffset']);
    const backend = this.#backend;
    if (!backend.wrap) throw new TypeError(`${fn}: this context computes on the CPU and has no GPU buffers`);
    if (typeof buffer?.size !== 'number' || typeof buffer?.usage !== 'number') {
      throw new TypeError(`${fn}: "buffer" must be a GPUBuffer, got ${shown(buffer)}`);
    }
    const spec = { dtype: choice(fn, 'dtype', options.dtype, dtypes, 'float32'), shape: validShape(fn, shape) };
    const aligned = (v: number) => Number.isSafeInteger(v) && v >= 0 && v % 4 === 0;
    const byteOffset = number(fn, 'byteOffset', options.byteOffset, 0, 'a multiple of 4 from 0', aligned);
    const perWord = { float16: 2, int8: 4, float32: 1, int32: 1, uint32: 1 }[spec.dtype];
    const words = Math.ceil(sizeOf(spec.shape) / perWord); // what the GPU reads, it reads by words
    const bytes = words * 4;
    if (byteOffset + bytes > buffer.size) {
      throw new RangeError(
        `${fn}: shape ${shown(spec.shape)} at byte ${byteOffset} ends at ${byteOffset + bytes}, past the buffer's ${buffer.size} bytes`,
      );
    }
    if (!(buffer.usage & 0x80))
      throw new TypeError(`${fn}: "buffer" must have the usage STORAGE, got usage ${buffer.usage}`);
    return this.#keep(new Tensor(this, spec.shape, backend.wrap(spec, buffer, byteOffset)));
  }

  /** What the context holds now. */
  memory(): MemoryReport {
    return { tensors: this.#tensors.size, ...this.#backend.memory() };
  }

  /** Settles when all that was queued has run; reads nothing back. Rejects where some of it came to nothing. */
  async finished(): Promise<void> {
    this.#alive('context.finished');
    return this.#backend.finished();
  }

  /**
   * Records the operations of this context that are called inside `calls` into a caller's command encoder, and submits nothing: they run when the caller
   * submits it, and read their operands as these are then. Typed arrays are copied at once. Results can be used in the same encoder
   * without a wait. Before the encoder is submitted, `data()` rejects, and work outside of it that uses them comes to nothing: a
   * recording that has not run is never read as if it had. Encoders run in the order in which they are submitted, so they should be
   * submitted in the order of their recordings.
   *
   * Memory that a recording uses, and tensors disposed of meanwhile, come back after it has run, at the next `finished()` or a few
   * recordings later; of an encoder that is never submitted, with the context. Where `calls` throws, what came before stays recorded.
   * @param encoder of the context's own device. A compute pass that is open will do where no copy is needed, which only results in a
   * buffer that is read too need; its pipeline and its first bind group are then others.
   * @param calls not async
   * @returns what `calls` returns
   * @throws TypeError on the CPU, for what is no encoder, and for async calls
   * @example
   * const encoder = context.device.createCommandEncoder()
   * const scores = context.encodeInto(encoder, () => softmax(logits))
   * context.device.queue.submit([encoder.finish()])
   */
  encodeInto<T>(encoder: GPUCommandEncoder | GPUComputePassEncoder, calls: () => T): T {
    const fn = 'context.encodeInto';
    this.#expectCalls(fn, calls);
    const backend = this.#backend;
    if (!backend.encodeInto)
      throw new TypeError(`${fn}: this context computes on the CPU and has no use for an encoder`);
    const takes = (method: string) =>
      typeof (encoder as unknown as Record<string, unknown> | null)?.[method] === 'function';
    if (!takes('beginComputePass') && !takes('dispatchWorkgroups'))
      throw new TypeError(
        `${fn}: "encoder" must be a GPUCommandEncoder or a GPUComputePassEncoder, got ${shown(encoder)}`,
      );
    const record = () => {
      const result = backend.encodeInto!(encoder, calls);
      if (!(result instanceof Promise)) return result;
      result.catch(() => {}); // it is told of this error in place of its own
      throw new TypeError(`${fn}: the calls may not be async: what follows an await would not be recorded`);
    };
    return this.#freeing(record, 'failed');
  }

  /**
   * Compiles ahead, without blocking, what the calls inside `calls` will need; runs none of them.
   * @example await context.prepare(() => crossEntropy(context.tensor(new Float32Array(64 * 1000), [64, 1000]), targets, { gradient: true }))
   */
  async prepare(calls: () => unknown): Promise<void> {
    this.#expectCalls('context.prepare', calls);
    await this.#backend.prepare(() => this.#freeing(calls, 'always'));
  }

  /**
   * Measures which variants of their kernels run the calls inside `calls` fastest, and takes them from now on: for the same kernel with the
   * same operands, classes and inner size, and about as many rows. The default plan stays unless another is 5 % faster. What was found is
   * kept in IndexedDB, by adapter, browser and kernel, and not measured again. The calls are made many times, and what they make is freed.
   *
   * Nothing is measured, and the report says why, on the CPU, on a software adapter, and with a `plan` given to `createContext`.
   * @throws the signal's reason once it is aborted, what the calls throw, and what `finished()` throws; plans stay sound
   * @example await context.tune(() => crossEntropy(logits, targets, { gradient: true }))
   */
  async tune(calls: () => unknown, options: TuneOptions = {}): Promise<TuneReport> {
    const fn = 'context.tune';
    this.#expectCalls(fn, calls);
    const makeCalls = () => void this.#freeing(calls, 'always');
    knownOptions(fn, options, ['budget', 'signal']);
    const { signal } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw new TypeError(`${fn}: "signal" must be an AbortSignal, got ${shown(signal)}`);
    const budget = positive(fn, 'budget', options.budget, 100);
    const { tune } = await import('./webgpu/tune.js'); // its own file in dist: few pages need it
    return tune({ backend: this.#backend, calls: makeCalls, budget, signal });
  }

  /** Frees all that the context made. A borrowed device stays as it was. Twice is once. */
  dispose(): void {
    if (this.#disposed) return;
    for (const tensor of this.#tensors) tensor.dispose();
    this.#disposed = true;
    this.#backend.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  async read(tensor: Tensor): Promise<Values> {
    return this.#backend.read(tensor.storage);
  }

  /** @internal */
  release(tensor: Tensor): void {
    if (this.#tensors.delete(tensor)) this.#backend.release(tensor.storage);
  }

  /** @internal Runs an operation whose arguments were checked, and gives its results by name. What it made is freed if it throws. */
  run<W extends string>(operation: Operation<W>): Record<W, Tensor> {
    this.#alive(operation.name);
    const outs = Object.values(operation.writes).filter((value) => value instanceof Tensor);
    if (new Set(outs).size < outs.length) {
      throw new TypeError(`${operation.name}: two results cannot be written to one tensor`);
    }
    const made: Storage[] = [];
    const operands: Storage[] = [];
    const storageOf = (value: Tensor | HostOperand | Spec, label: string): Storage => {
      if (value instanceof Tensor) return value.storage;
      const host = 'values' in value;
      const storage = host ? this.#backend.upload(value, value.values, label) : this.#backend.allocate(value, label);
      (host ? operands : made).push(storage);
      return storage;
    };
    const given = <V>(values: Readonly<Record<string, V | undefined>>) =>
      Object.entries(values).filter((entry): entry is [string, V] => entry[1] !== undefined);
    const each = (values: Readonly<Record<string, Tensor | HostOperand | Spec | undefined>>) =>
      Object.fromEntries(
        given(values).map(([name, v]) => [name, storageOf(v, `${this.#label}${operation.name}.${name}`)]),
      );
    try {
      const reads = each(operation.reads);
      const writes = each(operation.writes);
      const plan = this.#backend.run({ ...operation, reads, writes });
      const results = given<Tensor | Spec>(operation.writes).map(([name, value]) => [
        name,
        value instanceof Tensor ? value : this.#keep(new Tensor(this, value.shape, writes[name], plan)),
      ]);
      return Object.fromEntries(results);
    } catch (error) {
      for (const storage of made) this.#backend.release(storage);
      throw error;
    } finally {
      for (const storage of operands) this.#backend.release(storage);
    }
  }

  /** Makes the calls, and frees the tensors that they make: in any case, or where they throw. */
  #freeing<T>(calls: () => T, when: 'always' | 'failed'): T {
    const outer = this.#made;
    const made: Tensor[] = [];
    let freed = true;
    this.#made = made;
    try {
      const result = calls();
      freed = when === 'always';
      return result;
    } finally {
      this.#made = outer;
      if (freed) for (const tensor of made) tensor.dispose();
      else outer?.push(...made);
    }
  }

  #expectCalls(fn: string, calls: unknown): void {
    this.#alive(fn);
    if (typeof calls !== 'function')
      throw new TypeError(`${fn}: takes a function that makes the calls, got ${shown(calls)}`);
  }

  #keep(tensor: Tensor): Tensor {
    this.#tensors.add(tensor);
    this.#made?.push(tensor);
    return tensor;
  }

  #alive(fn: string): void {
    if (this.#disposed) throw new DisposedError(`${fn}: the context was disposed`);
  }
}

/**
 * Makes a place to compute: a GPU when there is one, the CPU otherwise.
 *
 * On the CPU a call has done its work when it returns, and blocks its thread meanwhile. With WebAssembly SIMD that is about 1 ms for a million
 * logits and 40 ms for a billion products of `linear`; in plain loops ten times and more. A page with larger calls makes the context in a Worker.
 * @throws WebGPUUnavailableError with `backend: 'webgpu'` where there is no WebGPU; 'auto' never throws for want of a GPU.
 */
export async function createContext(options: ContextOptions = {}): Promise<Context> {
  const fn = 'createContext';
  knownOptions(fn, options, ['backend', 'gpu', 'device', 'powerPreference', 'label', 'plan', 'simd']);
  const backend = choice(fn, 'backend', options.backend, ['auto', 'webgpu', 'cpu'], 'auto');
  choice(fn, 'powerPreference', options.powerPreference, ['low-power', 'high-performance'], 'low-power');
  if (backend === 'cpu' && options.device) throw new TypeError(`${fn}: "device" cannot be given with backend "cpu"`);
  for (const [name, type] of [
    ['plan', 'function'],
    ['label', 'string'],
    ['simd', 'boolean'],
  ] as const) {
    const given = options[name];
    if (given !== undefined && typeof given !== type) {
      throw new TypeError(`${fn}: "${name}" must be a ${type}, got ${shown(given)}`);
    }
  }
  const label = options.label === undefined ? '' : `${options.label}: `;
  if (backend === 'cpu') return onCpu('The CPU was asked for.', options, label);
  const gpu = options.gpu ?? globalThis.navigator?.gpu;
  let [found, reason]: [Backend | null, string] = [null, 'There is no WebGPU here: navigator.gpu is missing.'];
  if (options.device || gpu) {
    const { openGpu } = await import('./webgpu/open.js'); // its own file for bundlers: a page on the CPU does not load it
    ({ backend: found, reason } = await openGpu(options, gpu, backend === 'auto'));
  }
  if (found) return new Context(found, reason, label, options);
  if (backend === 'webgpu') throw new WebGPUUnavailableError(`${fn}: ${reason}`);
  return onCpu(reason, options, label);
}

/** A context on the CPU, with WebAssembly unless it is not wanted or cannot be had. */
async function onCpu(reason: string, options: ContextOptions, label: string): Promise<Context> {
  let [heap, how]: [Heap | null, string] = [null, 'in plain JavaScript: "simd" is false'];
  if (options.simd !== false) {
    try {
      heap = await (await import('./cpu/simd.js')).openHeap(kernels);
      how = 'with WebAssembly SIMD';
    } catch (error) {
      how = `in plain JavaScript: ${error}`;
    }
  }
  return new Context(new CpuBackend(heap), `${reason} It computes ${how}.`, label, options);
}
