// The GPU's side of src/backend.ts: memory, and what of a call happens later.

import type { Backend, LostInfo, MemoryReport, Spec, Storage, Values, Work } from '../backend.js';
import { CrossheadError, DeviceLostError, DisposedError, OutOfMemoryError } from '../errors.js';
import { packHalf, unpackHalf } from '../float16.js';
import { sizeOf } from '../rows.js';
import { BufferPool, type Failure, stagingUsage, storageUsage } from './buffers.js';
import { isSoftware } from './device.js';
import { PipelineCache } from './pipelines.js';
import { defaultPlan, type Facts, type Planner } from './plan.js';
import { Recorder } from './run.js';

/** Bytes of elements; what is copied and bound is rounded up to whole words. */
export const bytesOf = (dtype: Storage['dtype'], length: number): number => length * (dtype === 'float16' ? 2 : 4);
export const wholeWords = (bytes: number): number => bytes + (-bytes & 3);

export class GpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly device: GPUDevice;
  readonly adapterInfo: GPUAdapterInfo | null;
  readonly lost: Promise<LostInfo>;
  readonly facts: Facts;
  readonly planner: Planner;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly #owned: boolean;
  #lost: LostInfo | null = null;
  #disposed = false;
  /** Pipelines that `prepare` waits for; null while work is run. */
  #preparing: Promise<void>[] | null = null;
  /** What has failed since `finished` was last called, and what may still. */
  readonly #failed: Error[] = [];
  readonly #pending = new Set<Failure>();

  constructor(
    device: GPUDevice,
    adapterInfo: GPUAdapterInfo | null,
    owned: boolean,
    languageFeatures?: ReadonlySet<string>,
    planner: Planner = defaultPlan,
  ) {
    this.device = device;
    this.adapterInfo = adapterInfo;
    this.planner = planner;
    this.#owned = owned;
    this.pool = new BufferPool(device, () => this.#watch());
    this.pipelines = new PipelineCache(device);
    this.facts = {
      software: isSoftware(adapterInfo),
      subgroups: device.features.has('subgroups') && !!languageFeatures?.has('subgroup_id'),
      maxInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
    };
    this.lost = device.lost.then(({ reason, message }) => {
      this.#lost = { reason, message };
      return this.#lost;
    });
  }

  get preparing(): boolean {
    return this.#preparing !== null;
  }

  allocate(spec: Spec, label: string): Storage {
    const length = sizeOf(spec.shape);
    const bytes = wholeWords(bytesOf(spec.dtype, length));
    const most = this.device.limits.maxBufferSize;
    if (bytes > most) {
      throw new RangeError(`${label}: ${bytes} bytes exceed the device's largest buffer of ${most} (maxBufferSize)`);
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

  upload(spec: Spec, values: Values, label: string): Storage {
    const made = this.allocate(spec, label);
    if (!made.buffer) return made;
    const host = spec.dtype === 'float16' ? packHalf(values) : values;
    const end = this.#watch();
    this.device.queue.writeBuffer(made.buffer, 0, host as Values & { buffer: ArrayBuffer });
    this.#chain([made], [made.failure, end()]);
    return made;
  }

  wrap(spec: Spec, buffer: GPUBuffer, byteOffset: number): Storage {
    return { dtype: spec.dtype, length: sizeOf(spec.shape), values: null, buffer, byteOffset, failure: null };
  }

  release({ buffer }: Storage): void {
    if (buffer) this.pool.give(buffer); // which ignores a caller's
  }

  run(work: Work): string {
    const recorder = new Recorder(this, work);
    if (this.#preparing) {
      recorder.record();
      this.#preparing.push(...recorder.variants.map(([name, variant]) => this.pipelines.prepare(name, variant)));
      return recorder.plan;
    }
    const end = this.#watch();
    try {
      recorder.record();
      this.device.queue.submit([recorder.finish()]);
    } finally {
      recorder.releaseScratch();
      const storages = [...Object.values(work.reads), ...Object.values(work.writes)];
      const sources = [...storages.map((s) => s.failure), ...recorder.failures, end(), this.#checked(work)];
      this.#chain(Object.values(work.writes), sources);
    }
    return recorder.plan;
  }

  async prepare(calls: () => void): Promise<void> {
    const pipelines: Promise<void>[] = [];
    this.#preparing = pipelines;
    try {
      calls();
    } finally {
      this.#preparing = null;
    }
    await Promise.all(pipelines);
  }

  async read(from: Storage): Promise<Values> {
    this.#throwIfLost();
    if (from.length === 0) return decode(from, new ArrayBuffer(0));
    const bytes = wholeWords(bytesOf(from.dtype, from.length));
    const staging = this.pool.take(bytes, stagingUsage, 'crosshead: readback');
    const scopes = this.#watch();
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(from.buffer!, from.byteOffset, staging, 0, bytes);
    this.device.queue.submit([encoder.finish()]);
    const failure = firstOf([from.failure, this.pool.failureOf(staging), scopes()]);
    const mapped = await this.#map(staging, bytes);
    const copy = mapped ? staging.getMappedRange(0, bytes).slice(0) : null;
    this.#returnStaging(staging, mapped);
    const error = await failure;
    if (error) throw error;
    if (!copy) throw new CrossheadError('data: the buffer could not be mapped');
    return decode(from, copy);
  }

  async finished(): Promise<void> {
    this.#throwIfLost();
    // A mapped read of four bytes is the fence: measured faster than onSubmittedWorkDone, and it rejects when the device is lost.
    const staging = this.pool.take(4, stagingUsage, 'crosshead: fence');
    const encoder = this.device.createCommandEncoder();
    encoder.clearBuffer(staging, 0, 4);
    this.device.queue.submit([encoder.finish()]);
    this.#returnStaging(staging, await this.#map(staging, 4));
    await Promise.all(this.#pending);
    this.#throwIfLost();
    const first = this.#failed.splice(0)[0];
    if (first) throw first;
  }

  memory(): Omit<MemoryReport, 'tensors'> {
    const { buffers, bytesInUse, bytesAllocated } = this.pool;
    return { buffers, bytesInUse, bytesAllocated };
  }

  dispose(): void {
    this.#disposed = true;
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
      const full = await memory;
      if (full) return new OutOfMemoryError(`The device has no memory left: ${full.message}`);
      const wrong = await invalid;
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
      if (error) this.#failed.push(error);
      else for (const target of written) if (target.failure === failure) target.failure = null;
    });
  }

  /** Maps for reading; false where that failed for a reason that is told elsewhere. */
  async #map(buffer: GPUBuffer, bytes: number): Promise<boolean> {
    try {
      await buffer.mapAsync(1, 0, bytes);
    } catch {
      // The rejection can come before `lost` settles.
      await Promise.race([this.lost, new Promise((resolve) => setTimeout(resolve, 200))]);
      this.#throwIfLost();
      return false;
    }
    this.#throwIfLost();
    return true;
  }

  #returnStaging(staging: GPUBuffer, mapped: boolean): void {
    if (!mapped) this.pool.destroy(staging);
    else {
      staging.unmap();
      this.pool.give(staging);
    }
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

function decode({ dtype, length }: Storage, bytes: ArrayBuffer): Values {
  if (dtype === 'float16') return unpackHalf(new Uint16Array(bytes, 0, length));
  if (dtype === 'int32') return new Int32Array(bytes, 0, length);
  return dtype === 'uint32' ? new Uint32Array(bytes, 0, length) : new Float32Array(bytes, 0, length);
}
