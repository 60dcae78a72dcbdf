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
import { DisposedError, WebGPUUnavailableError } from './errors.js';
import { fromNumbers, type NumberArray } from './numbers.js';
import { type NestedNumbers, Tensor } from './tensor.js';
import { choice, knownOptions, number, shown, validShape } from './validate.js';
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
  /** Which of several GPUs: 'low-power' or 'high-performance'; the browser's choice if left out. */
  powerPreference?: GPUPowerPreference;
  /** A name for the device and the tensors' buffers, as graphics debuggers show it. */
  label?: string;
  /** On the CPU, whether to use WebAssembly SIMD, where it can be had; true by default. */
  simd?: boolean;
  /**
   * Warns on the console of tensors that were dropped without `dispose()`, and says where they were made; false by default, since it costs
   * time. Their memory comes back in any case, when the garbage collector finds them.
   */
  debug?: boolean;
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
  readonly cpu: Work['cpu'];
  gpu(gpu: GpuWork, storages: Record<string, Storage>): void;
}

/** What is left of a tensor that was collected; it may not refer to the tensor. */
interface Dropped {
  readonly storage: Storage;
  /** What is said of it; empty for nothing. */
  readonly made: string;
}

const droppedMessage = ({ shape, plan }: Tensor): string =>
  `a tensor of shape ${shown(shape)} (${plan || 'brought in'}) was dropped without dispose(). It was made ${new Error('here').stack?.slice(7)}`;

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
  /** Vendor and architecture of the adapter, as far as the browser tells; null on the CPU. */
  readonly adapterInfo: GPUAdapterInfo | null;
  /** Settles when the device is lost, or the context disposed of. */
  readonly lost: Promise<LostInfo>;
  /** @internal What it was made of: a training whose device is lost makes another like it. */
  readonly options: ContextOptions;
  readonly #backend: Backend;
  readonly #label: string;
  /** Of the tensors that are not disposed of. Not the tensors themselves, so that those which nobody holds are collected. */
  readonly #storages = new Set<Storage>();
  /** Frees what tensors that were collected before they were disposed of had. */
  readonly #net = new FinalizationRegistry<Dropped>(({ storage, made }) => {
    if (!this.#storages.delete(storage)) return;
    this.#backend.release(storage);
    if (made) console.warn(`crosshead: ${made}`);
  });
  /** What the calls that are being made have made, where it may have to be freed. */
  #made: { dispose(): void }[] | null = null;
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

  /** Whether `dispose()` was called; operations then throw DisposedError. */
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
        this.#backend.upload(operand, operand.values, options.label ?? `${this.#label}${fn}`, fn),
      ),
    );
  }

  /**
   * A tensor over a caller's GPU buffer, with no copy. The buffer stays the caller's, is never destroyed here, and may be larger.
   * @param buffer with usage STORAGE, and COPY_SRC if `data()` is to be called; of the context's own device
   * @param options.byteOffset where the tensor begins, a multiple of 4
   * @throws TypeError on the CPU, and for what is no buffer with that usage; RangeError where the shape does not fit in it
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
    const spec = { dtype: choice(fn, 'dtype', options.dtype, dtypes, 'float32'), shape: validShape(fn, shape) };
    const aligned = (v: number) => Number.isSafeInteger(v) && v >= 0 && v % 4 === 0;
    const byteOffset = number(fn, 'byteOffset', options.byteOffset, 0, 'a multiple of 4 from 0', aligned);
    return this.#keep(new Tensor(this, spec.shape, backend.wrap(fn, spec, buffer, byteOffset)), false);
  }

  /** What the context holds now. */
  memory(): MemoryReport {
    return { tensors: this.#storages.size, ...this.#backend.memory() };
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
    const checked = this.#checked(fn, calls);
    const backend = this.#backend;
    if (!backend.encodeInto)
      throw new TypeError(`${fn}: this context computes on the CPU and has no use for an encoder`);
    return this.#freeing(() => backend.encodeInto!(fn, encoder, checked), 'failed');
  }

  /**
   * Compiles ahead, without blocking, what the calls inside `calls` will need; runs none of them.
   * @throws TypeError for async calls, ShaderError, and what the calls throw
   * @example await context.prepare(() => crossEntropy(context.tensor(new Float32Array(64 * 1000), [64, 1000]), targets, { gradient: true }))
   */
  async prepare(calls: () => unknown): Promise<void> {
    const checked = this.#checked('context.prepare', calls);
    await this.#backend.prepare(() => this.#freeing(checked, 'always'));
  }

  /**
   * Measures which variants of their kernels run the calls inside `calls` fastest, and takes them from now on: for the same kernel with the
   * same operands, classes and inner size, and about as many rows. The default plan stays unless another is 5 % faster. What was found is
   * kept in IndexedDB, by adapter, browser and kernel, and not measured again. The calls are made many times, and what they make is freed.
   *
   * Nothing is measured, and the report says why, on the CPU, on a software adapter, and with a `plan` given to `createContext`.
   * @throws TypeError for async calls, the signal's reason once it is aborted, what the calls throw, and what `finished()` throws; plans stay sound
   * @example await context.tune(() => crossEntropy(logits, targets, { gradient: true }))
   */
  async tune(calls: () => unknown, options: TuneOptions = {}): Promise<TuneReport> {
    const fn = 'context.tune';
    const checked = this.#checked(fn, calls);
    const makeCalls = () => void this.#freeing(checked, 'always');
    const { tune } = await import('./webgpu/tune.js'); // its own file in dist: few pages need it
    return tune(fn, this.#backend, makeCalls, options);
  }

  /** Frees all that the context made. A borrowed device stays as it was. Twice is once. */
  dispose(): void {
    if (this.#disposed) return;
    for (const storage of this.#storages) this.#backend.release(storage);
    this.#storages.clear();
    this.#disposed = true;
    this.#backend.dispose();
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  async read(tensor: Tensor, into?: Values): Promise<Values> {
    return this.#backend.read(tensor.storage, into);
  }

  /** @internal */
  release(tensor: Tensor): void {
    this.#net.unregister(tensor.storage);
    if (this.#storages.delete(tensor.storage)) this.#backend.release(tensor.storage);
  }

  /** @internal Undoes what was remembered of a call, should what it made be freed at once. */
  remembered(undo: () => void): void {
    this.#made?.push({ dispose: undo });
  }

  /** @internal Whose buffer somebody has, which may be in use when the tensor is gone: `dispose` alone gives it back. */
  escaped(tensor: Tensor): void {
    tensor.revision = Number.NaN;
    this.#net.unregister(tensor.storage);
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
      for (const out of outs) out.revision++;
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
    const made: { dispose(): void }[] = [];
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

  /** The calls, which must all have been made when they return. */
  #checked<T>(fn: string, calls: () => T): () => T {
    this.#alive(fn);
    if (typeof calls !== 'function')
      throw new TypeError(`${fn}: takes a function that makes the calls, got ${shown(calls)}`);
    return () => {
      const result = calls();
      if (!(result instanceof Promise)) return result;
      result.catch(() => {}); // it is told of this error in place of its own
      throw new TypeError(`${fn}: the calls may not be async: what follows an await is too late`);
    };
  }

  #keep(tensor: Tensor, owned = true): Tensor {
    const { storage } = tensor;
    if (!owned) tensor.revision = Number.NaN;
    this.#storages.add(storage);
    const made = owned && this.options.debug ? droppedMessage(tensor) : '';
    this.#net.register(tensor, { storage, made }, storage);
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
 * On the CPU a call has done its work when it returns, and blocks its thread meanwhile: with WebAssembly SIMD about 0.6 ms for a million logits
 * and 40 ms for a billion products of `linear`; in plain loops ten times and more. A page with larger calls makes the context in a Worker, where
 * it computes alike: a message there and back costs 0.1 ms or less, and arrays that are transferred nothing more.
 * @throws WebGPUUnavailableError with `backend: 'webgpu'` where there is no WebGPU; 'auto' never throws for want of a GPU.
 */
export async function createContext(options: ContextOptions = {}): Promise<Context> {
  const fn = 'createContext';
  knownOptions(fn, options, ['backend', 'gpu', 'device', 'powerPreference', 'label', 'plan', 'simd', 'debug']);
  const backend = choice(fn, 'backend', options.backend, ['auto', 'webgpu', 'cpu'], 'auto');
  choice(fn, 'powerPreference', options.powerPreference, ['low-power', 'high-performance'], 'low-power');
  if (backend === 'cpu' && options.device) throw new TypeError(`${fn}: "device" cannot be given with backend "cpu"`);
  for (const [name, type] of [
    ['plan', 'function'],
    ['label', 'string'],
    ['simd', 'boolean'],
    ['debug', 'boolean'],
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
    const adapter = options.device ? null : requestAdapter(fn, gpu, options); // while the rest is on its way
    const { openGpu } = await import('./webgpu/open-gpu.js'); // its own file for bundlers: a page on the CPU does not load it
    ({ backend: found, reason } = await openGpu(options, gpu, adapter, backend === 'auto'));
  }
  if (found) return new Context(found, reason, label, options);
  if (backend === 'webgpu') throw new WebGPUUnavailableError(`${fn}: ${reason}`);
  return onCpu(reason, options, label);
}

function requestAdapter(fn: string, gpu: GPU | undefined, { powerPreference }: ContextOptions) {
  if (typeof gpu?.requestAdapter !== 'function')
    throw new TypeError(`${fn}: "gpu" must be a GPU, such as navigator.gpu`);
  const adapter = Promise.resolve().then(() => gpu.requestAdapter({ powerPreference }));
  adapter.catch(() => {}); // openGpu tells
  return adapter;
}

async function onCpu(reason: string, options: ContextOptions, label: string): Promise<Context> {
  // And these a page on a GPU does not load. Both from here: bundlers split what a file that comes later asks for later still.
  const simd = options.simd === false ? null : import('./cpu/simd.js');
  simd?.catch(() => {}); // openCpu tells
  const { openCpu } = await import('./cpu/open-cpu.js');
  const { backend, how } = await openCpu(simd);
  return new Context(backend, `${reason} ${how}`, label, options);
}
