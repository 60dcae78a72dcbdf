// The GPU's side of src/backend.ts: memory, and what of a call happens later.

import type { Backend, LostInfo, MemoryReport, Spec, Storage, Values, Work } from '../backend.js';
import { CrossheadError, DeviceLostError, DisposedError, OutOfMemoryError } from '../errors.js';
import { packHalf, unpackHalf } from '../float16.js';
import { sizeOf } from '../rows.js';
import { shown } from '../validate.js';
import { BufferPool, bytesOf, type Failure, stagingUsage, storageUsage, wholeWords } from './buffers.js';
import { isSoftware } from './device.js';
import { expectTarget, Recordings, type Target } from './encode.js';
import { needsOf, seams } from './link.js';
import { Nudges } from './nudge.js';
import { PipelineCache } from './pipelines.js';
import { defaultPlan, type Facts, type Planner } from './plan.js';
import { type PassPlanner, Recorder } from './run.js';

export class GpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly device: GPUDevice;
  readonly adapterInfo: GPUAdapterInfo | null;
  readonly lost: Promise<LostInfo>;
  readonly facts: Facts;
  /** Tuning puts its own before it. */
  planner: PassPlanner;
  /** Whether the planner is the caller's. */
  readonly planned: boolean;
  readonly seams = seams;
  readonly needsOf = needsOf;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly #nudges: Nudges;
  readonly #recordings: Recordings;
  readonly #owned: boolean;
  /** Storages over callers' buffers. Such a buffer may be a tensor's of ours too, seen in another shape. */
  readonly #wrapped = new WeakSet<Storage>();
  #lose!: (info: LostInfo) => void;
  #lost: LostInfo | null = null;
  #disposed = false;
  /** What `prepare` is to compile; null while work is run. */
  #preparing: Recorder['variants'] | null = null;
  /** What has failed since `finished` was last called, and what may still. */
  readonly #failed = new Set<Error>();
  readonly #pending = new Set<Failure>();

  constructor(
    device: GPUDevice,
    adapterInfo: GPUAdapterInfo | null,
    owned: boolean,
    languageFeatures?: ReadonlySet<string>,
    planner?: Planner,
  ) {
    this.device = device;
    this.adapterInfo = adapterInfo;
    this.planner = planner ?? defaultPlan;
    this.planned = !!planner;
    this.#owned = owned;
    this.pool = new BufferPool(device, () => this.#watch());
    this.pipelines = new PipelineCache(device);
    this.#nudges = new Nudges(device.queue);
    this.#recordings = new Recordings(device, this.pool, this.#nudges, () => this.#watch());
    this.facts = {
      software: isSoftware(adapterInfo),
      subgroups: device.features.has('subgroups') && !!languageFeatures?.has('subgroup_id'),
      minSubgroup: adapterInfo?.subgroupMinSize,
      maxSubgroup: adapterInfo?.subgroupMaxSize,
      maxInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
    };
    const disposed = new Promise<LostInfo>((resolve) => {
      this.#lose = resolve;
    });
    this.lost = Promise.race([device.lost, disposed]).then(({ reason, message }) => {
      this.#lost = { reason, message };
      return this.#lost;
    });
  }

  get preparing(): boolean {
    return this.#preparing !== null;
  }

  allocate(spec: Spec, label: string, fn = label): Storage {
    const length = sizeOf(spec.shape);
    const bytes = wholeWords(bytesOf(spec.dtype, length));
    const most = this.device.limits.maxBufferSize;
    if (bytes > most) {
      throw new RangeError(`${fn}: ${bytes} bytes exceed the device's largest buffer of ${most} (maxBufferSize)`);
    }
    const buffer = this.#preparing ? null : this.pool.take(bytes, storageUsage, label);
    return {
      dtype: spec.dtype,
      length,
      values: null,
      buffer,
      byteOffset: 0,
      failure: buffer && this.pool.failureOf(buffer),
    };
  }

  upload(spec: Spec, values: Values, label: string, fn = label): Storage {
    const made = this.allocate(spec, label, fn);
    if (!made.buffer) return made;
    const host = spec.dtype === 'float16' ? packHalf(values) : spec.dtype === 'int8' ? padded(values) : values;
    const end = this.#watch();
    this.device.queue.writeBuffer(made.buffer, 0, host as Values & { buffer: ArrayBuffer });
    this.#chain([made], [made.failure, end()]);
    return made;
  }

  wrap(fn: string, { dtype, shape }: Spec, buffer: GPUBuffer, byteOffset: number): Storage {
    if (typeof buffer?.size !== 'number' || typeof buffer?.usage !== 'number') {
      throw new TypeError(`${fn}: "buffer" must be a GPUBuffer, got ${shown(buffer)}`);
    }
    const end = byteOffset + wholeWords(bytesOf(dtype, sizeOf(shape))); // what the GPU reads, it reads by words
    if (end > buffer.size) {
      throw new RangeError(
        `${fn}: shape ${shown(shape)} at byte ${byteOffset} ends at ${end}, past the buffer's ${buffer.size} bytes`,
      );
    }
    if (!(buffer.usage & 0x80))
      throw new TypeError(`${fn}: "buffer" must have the usage STORAGE, got usage ${buffer.usage}`);
    const wrapped = { dtype, length: sizeOf(shape), values: null, buffer, byteOffset, failure: null };
    this.#wrapped.add(wrapped);
    return wrapped;
  }

  release(storage: Storage): void {
    if (storage.buffer && !this.#wrapped.has(storage)) this.pool.give(storage.buffer);
  }

  run(work: Work): string {
    const target = this.#preparing ? null : this.#recordings.target;
    const recorder = new Recorder(this, work, target);
    if (this.#preparing) {
      recorder.record();
      this.#preparing.push(...recorder.variants);
      return recorder.plan;
    }
    const [read, written] = [Object.values(work.reads), Object.values(work.writes)];
    const missing = target ? null : this.#recordings.missing([...read, ...written]);
    const end = this.#watch();
    try {
      try {
        recorder.record();
      } finally {
        if (target) this.#recordings.add(read, written, recorder.taken);
      }
      if (!target) this.device.queue.submit([recorder.finish()]);
    } catch (error) {
      void end();
      throw error;
    } finally {
      recorder.releaseScratch();
    }
    const reads = read.map(({ failure }) => failure);
    // Of what is overwritten, nothing counts but that the buffer could be made: earlier work that failed is gone.
    const writes = written.map(({ buffer }) => this.pool.failureOf(buffer!));
    this.#chain(written, [...reads, ...writes, missing, ...recorder.failures, end(), this.#checked(work)]);
    return recorder.plan;
  }

  encodeInto<T>(fn: string, target: Target, calls: () => T): T {
    expectTarget(fn, target);
    if (this.#preparing) return calls();
    return this.#recordings.record(target, calls, (word) => {
      const end = this.#watch();
      const recorder = new Recorder(this, { name: 'context.encodeInto' } as Work, target);
      recorder.clear(word);
      void end();
      return recorder.taken;
    });
  }

  async prepare(calls: () => void): Promise<void> {
    const variants: Recorder['variants'] = [];
    this.#preparing = variants;
    try {
      calls();
    } finally {
      this.#preparing = null;
    }
    await Promise.all(variants.map(([name, variant]) => this.pipelines.prepare(name, variant)));
  }

  async read(from: Storage, into?: Values): Promise<Values> {
    return this.#fetch(wholeWords(bytesOf(from.dtype, from.length)), from, (mapped) => {
      into?.set(decode(from, mapped));
      return into ?? decode(from, mapped.slice(0));
    });
  }

  async finished(): Promise<void> {
    // A mapped read of four bytes is the fence: measured faster than onSubmittedWorkDone, and it rejects when the device is lost.
    await Promise.all([this.#recordings.settle(), this.#fetch(4, null, () => {})]);
    await Promise.all(this.#pending);
    this.#throwIfLost();
    const [first] = this.#failed;
    this.#failed.clear();
    if (first) throw first;
  }

  memory(): Omit<MemoryReport, 'tensors'> {
    return this.pool.report();
  }

  dispose(): void {
    this.#disposed = true;
    this.#lose({ reason: 'destroyed', message: 'The context was disposed.' });
    this.#recordings.dispose();
    this.pool.destroyAll();
    if (this.#owned) this.device.destroy();
  }

  /** Watches for errors of what is called on the device until the returned function is called, in the same synchronous block. */
  #watch(): () => Failure {
    this.device.pushErrorScope('out-of-memory');
    this.device.pushErrorScope('validation');
    return () => {
      const invalid = this.device.popErrorScope();
      const memory = this.device.popErrorScope();
      return this.#settle(invalid, memory);
    };
  }

  async #settle(invalid: Promise<GPUError | null>, memory: Promise<GPUError | null>): Failure {
    try {
      const [full, wrong] = await Promise.all([memory, invalid]); // both may reject, when the GPU's process is gone
      if (full) return new OutOfMemoryError(`The device has no memory left: ${full.message}`);
      return wrong && new CrossheadError(`The device refused the work: ${wrong.message}`);
    } catch (error) {
      return this.#lost ? this.#lostError() : new CrossheadError(`The device failed: ${error}`);
    }
  }

  async #checked({ check, reads }: Work): Failure {
    if (!check) return null;
    try {
      check.expect(await this.read(reads[check.of]));
      return null;
    } catch (error) {
      return error as Error;
    }
  }

  /** What was written is as sound as all that it was made from. */
  #chain(written: Storage[], sources: (Failure | null)[]): void {
    const failure = firstOf(sources);
    this.#pending.add(failure);
    for (const target of written) target.failure = failure;
    void failure.then((error) => {
      this.#pending.delete(failure);
      if (error) this.#failed.add(error);
      else for (const target of written) if (target.failure === failure) target.failure = null;
    });
  }

  /** What `take` makes of the first bytes of a storage, or of zeros, once all that was queued before has run. */
  async #fetch<T>(bytes: number, from: Storage | null, take: (mapped: ArrayBuffer) => T): Promise<T> {
    this.#throwIfLost();
    if (from && !from.buffer) throw new CrossheadError('data: nothing is computed inside context.prepare');
    if (bytes === 0) return take(new ArrayBuffer(0));
    const missing = from ? this.#recordings.missing([from]) : null;
    const staging = this.pool.take(bytes, stagingUsage, 'crosshead: readback');
    const end = this.#watch();
    const encoder = this.device.createCommandEncoder();
    if (from) encoder.copyBufferToBuffer(from.buffer as GPUBuffer, from.byteOffset, staging, 0, bytes);
    else encoder.clearBuffer(staging, 0, bytes);
    this.device.queue.submit([encoder.finish()]);
    const mapped = this.#nudges.until(staging.mapAsync(1, 0, bytes)); // watched too: it is an error of a buffer that could not be made
    const failure = firstOf([missing, from?.failure ?? null, this.pool.failureOf(staging), end()]);
    let taken: T;
    try {
      await mapped;
      taken = take(staging.getMappedRange(0, bytes)); // which throws where the device was destroyed in between
      staging.unmap();
    } catch (reason) {
      this.pool.destroy(staging);
      // The rejection can come before `lost` settles.
      await Promise.race([this.lost, new Promise((resolve) => setTimeout(resolve, 200))]);
      this.#throwIfLost();
      throw (await failure) ?? new CrossheadError(`The result could not be read: ${reason}`);
    }
    this.pool.give(staging);
    this.#throwIfLost();
    const error = await failure;
    if (!error) return taken;
    this.#failed.delete(error); // told here
    throw error;
  }

  #throwIfLost(): void {
    if (this.#disposed) throw new DisposedError('data: the context was disposed before the result was read');
    if (this.#lost) throw this.#lostError();
  }

  #lostError(): DeviceLostError {
    return new DeviceLostError(
      `The GPU device was lost (${this.#lost?.message || this.#lost?.reason}). Make a new context.`,
    );
  }
}

async function firstOf(failures: (Failure | null)[]): Failure {
  for (const failure of failures) {
    const error = await failure;
    if (error) return error;
  }
  return null;
}

/** Bytes as whole words. */
function padded(values: Values): Values {
  const words = new Int8Array(wholeWords(values.length));
  words.set(values);
  return words;
}

function decode({ dtype, length }: Storage, bytes: ArrayBuffer): Values {
  if (dtype === 'float16') return unpackHalf(new Uint16Array(bytes, 0, length));
  if (dtype === 'int8') return new Int8Array(bytes, 0, length);
  if (dtype === 'int32') return new Int32Array(bytes, 0, length);
  return dtype === 'uint32' ? new Uint32Array(bytes, 0, length) : new Float32Array(bytes, 0, length);
}
