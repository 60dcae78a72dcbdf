// Records the kernels of one call into one command buffer: picks variants, cuts rows into what a binding can hold, binds by name.

import narrow from '../../shaders/narrow.wgsl';
import type { Bound, Constants, DType, GpuWork, RowPass, Splits, Storage, Work } from '../backend.js';
import type { GpuBackend } from './backend.js';
import { bytesOf, type Failure, storageUsage, uniformUsage, wholeWords } from './buffers.js';
import { isPass, type Target } from './encode.js';
import { needsOf, offsetsIndex, type Part, seams } from './link.js';
import type { Pipeline, Variant } from './pipelines.js';
import {
  type Chunk,
  checkPlan,
  chunksOf,
  type Facts,
  gridOf,
  mostTwice,
  type Plan,
  type PlanRequest,
  planName,
} from './plan.js';

/** Bindings and uniform slots begin at multiples of this; every device allows it. */
const alignment = 256;
/** Words of a uniform's slot, and slots of a buffer of them: of two dispatches, which most calls are. */
const slot = alignment / 4;
const pageSlots = 4;

/** Elements of a storage, as one dispatch binds them. */
interface Range {
  readonly storage: Storage;
  readonly first: number;
  readonly count: number;
}

/** A pass with what it binds, and nothing else. */
export type BoundPass = Omit<RowPass, 'bindings'> & { readonly bindings: Readonly<Record<string, Bound>> };

/** A planner that may look at the pass too. */
export type PassPlanner = (request: PlanRequest, facts: Facts, pass: BoundPass) => Plan;

interface Dispatch {
  readonly name: string;
  readonly variant: Variant;
  readonly ranges: Readonly<Record<string, Range>>;
  readonly uniforms: Readonly<Record<string, number>>;
  readonly workgroups: number;
}

export class Recorder implements GpuWork {
  /** The plan of the largest pass. */
  plan = '';
  /** What was, or in preparation would be, compiled. */
  readonly variants: [name: string, variant: Variant][] = [];
  readonly failures: (Failure | null)[] = [];
  readonly maxBinding: number;
  readonly maxStorageBuffers: number;
  readonly #backend: GpuBackend;
  readonly #work: Work;
  /** Taken from the pool, until `releaseScratch`. */
  readonly taken: GPUBuffer[] = [];
  /** Results in scratch, until all that may read what they overwrite has run, and all of their pieces are written. */
  #staged: { target: Range; scratch: Range }[] = [];
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  readonly #inPass: boolean;
  /** Uniforms that are yet to be written to their buffer. */
  #page: { readonly buffer: GPUBuffer; readonly words: Uint32Array<ArrayBuffer>; used: number } | null = null;
  #largest = -1;

  /** @param target what to record into, in place of an encoder of its own; a pass stays open */
  constructor(backend: GpuBackend, work: Work, target: Target | null = null) {
    this.#backend = backend;
    this.#work = work;
    this.#inPass = target !== null && isPass(target);
    if (this.#inPass) this.#pass = target as GPUComputePassEncoder;
    else this.#encoder = target as GPUCommandEncoder | null;
    this.maxBinding = backend.device.limits.maxStorageBufferBindingSize;
    this.maxStorageBuffers = backend.device.limits.maxStorageBuffersPerShaderStage;
  }

  record(): void {
    this.#work.gpu(this, { ...this.#work.reads, ...this.#work.writes });
    this.#moveStaged();
    this.#endPass();
    this.#writePage();
  }

  /** Makes a word 0 when what was recorded has run. In a pass, which cannot clear, a kernel writes it. */
  clear(word: GPUBuffer): void {
    if (!this.#inPass) {
      this.#encoder!.clearBuffer(word, 0, 4);
      return;
    }
    const zeros = this.scratch('float32', 2);
    this.#backend.device.queue.writeBuffer(zeros.buffer!, 0, new Uint32Array(2));
    const halves = { ...zeros, dtype: 'float16' as const, buffer: word };
    this.#narrow({ storage: zeros, first: 0, count: 2 }, { storage: halves, first: 0, count: 2 });
    this.#writePage();
  }

  finish(): GPUCommandBuffer {
    this.#encoder ??= this.#backend.device.createCommandEncoder();
    return this.#encoder.finish();
  }

  /** To the pool; the queue's order keeps what was recorded safe from later users. */
  releaseScratch(): void {
    for (const buffer of this.taken) this.#backend.pool.give(buffer);
  }

  scratch(dtype: DType, length: number): Storage {
    const buffer = this.#backend.preparing ? null : this.#take(wholeWords(bytesOf(dtype, length)), storageUsage);
    return { dtype, length, values: null, buffer, byteOffset: 0, failure: null };
  }

  narrow(floats: Bound, halves: Bound): void {
    const whole = { first: 0, count: 1 };
    this.#narrow(rangeOf(floats, whole, 1), rangeOf(halves, whole, 1));
  }

  rows({ bindings, ...rest }: RowPass): void {
    const given = Object.entries(bindings).filter((entry): entry is [string, Bound] => entry[1] !== undefined);
    this.#rows({ ...rest, bindings: Object.fromEntries(given) });
  }

  #rows(pass: BoundPass, chosen?: Plan): void {
    const { input, output } = pass.bindings;
    const staged = this.#mustStage(pass);
    const isOverItself = output !== undefined && output[0] === input?.[0];
    const inPlace = isOverItself && !staged.has('output');
    // In place, a strip might overwrite what another reads.
    const splits = !!pass.splits && !inPlace && Object.keys(pass.bindings).length < this.maxStorageBuffers;
    const native = output?.[0].dtype === 'float16' && !staged.has('output');
    // What strips keep in scratch would be moved over the logits before these are read again.
    const keeps = !!pass.keeps && !native && isOverItself === inPlace;
    const plan = chosen ?? this.#choose(pass, splits, keeps);
    if (kernelOf(pass, plan) !== pass.kernel) pass = { ...pass, ...pass.together };
    const strips = plan.strips ?? 1;
    if (strips > 1 && !chosen)
      pass = { ...pass, bindings: { ...pass.bindings, parts: this.#parts(pass, pass.splits!, plan) } };
    const variant = variantOf(pass, plan, inPlace, native);
    // A pass that reads what an earlier one wrote.
    const reads = Object.entries(pass.bindings).filter(([name]) => !staged.has(name));
    if (this.#staged.some(({ target }) => reads.some(([, [storage]]) => storage === target.storage)))
      this.#moveStaged();
    for (const chunk of this.#chunks(pass, staged)) {
      const rows = chunk.count * pass.rows.inner;
      const ranges = Object.entries(pass.bindings).map(([name, bound]) => {
        const range = rangeOf(bound, chunk, pass.rows.inner);
        return [name, staged.has(name) ? this.#standIn(range) : range] as const;
      });
      this.#dispatch({
        name: `${this.#work.name}: ${planName(nameOf(pass.kernel), plan)}`,
        variant,
        ranges: Object.fromEntries(ranges),
        uniforms: {
          rows,
          classes: pass.rows.classes,
          inner: pass.rows.inner,
          first_row: chunk.first * pass.rows.inner,
          ...pass.uniforms,
        },
        workgroups: pass.workgroups?.(rows) ?? Math.ceil(((pass.pieces?.count(rows) ?? rows) * strips) / plan.rows),
      });
    }
  }

  /** Sums the strips of each row, in a pass before. */
  #parts(pass: BoundPass, { kernel, words }: Splits, plan: Plan): Bound {
    const perRow = words * plan.strips!;
    const parts: Bound = [this.scratch('uint32', pass.rows.count * perRow), perRow];
    const { input, output } = pass.bindings;
    const kept = plan.keeps && { output };
    this.#rows({ ...pass, kernel, bindings: { input, strips: parts, ...kept } }, plan);
    return parts;
  }

  #choose(pass: BoundPass, splits: boolean, keeps: boolean): Plan {
    const { facts, planner } = this.#backend;
    const { count, inner } = pass.rows;
    const [rows, classes] = pass.pieces ? [pass.pieces.count(count), pass.pieces.length] : [count, pass.rows.classes];
    const kernel = nameOf(pass.kernel);
    const given = checkPlan(planner({ kernel, rows, classes, inner, splits, keeps }, facts, pass), facts);
    const plan = {
      ...given,
      strips: splits ? given.strips : 1,
      keeps: keeps && given.keeps,
      twice: given.twice && classes <= mostTwice,
    };
    if (rows * classes > this.#largest) {
      this.#largest = rows * classes;
      this.plan = planName(nameOf(kernelOf(pass, plan)), plan);
    }
    return plan;
  }

  /**
   * The results that go through scratch: float16 where 16-bit stores do not exist (a word holds two elements, which may belong to
   * two rows), which only `output` has; and what lies in a buffer that the kernel reads too, elsewhere than in place.
   */
  #mustStage({ kernel, bindings }: BoundPass): ReadonlySet<string> {
    const written = new Set(Object.values(this.#work.writes));
    const f16 = this.#backend.device.features.has('shader-f16');
    const mustStage = ([name, [target]]: [string, Bound]) => {
      if (!written.has(target) || !writes(kernel, name)) return false; // it may be read, in place
      if (target.dtype === 'float16' && !(f16 && name === 'output')) return true;
      const inPlace = (other: string) => name === 'output' && other === 'input' && bindings.input[0] === target;
      const shares = ([other, [storage]]: [string, Bound]) =>
        other !== name && storage.buffer !== null && storage.buffer === target.buffer && !inPlace(other);
      return Object.entries(bindings).some(shares);
    };
    return new Set(
      Object.entries(bindings)
        .filter(mustStage)
        .map(([name]) => name),
    );
  }

  #chunks(pass: BoundPass, staged: ReadonlySet<string>): Chunk[] {
    const { outer, inner, count } = pass.rows;
    const bytes = Object.entries(pass.bindings).map(([name, [storage, perRow]]) =>
      bytesOf(staged.has(name) ? 'float32' : storage.dtype, perRow * inner),
    );
    const chunks = count === 0 ? [] : chunksOf(outer, Math.max(0, ...bytes), this.maxBinding);
    for (const [name, bound] of Object.entries(pass.bindings)) {
      for (const chunk of chunks) this.#expectBindable(name, rangeOf(bound, chunk, inner));
    }
    return chunks;
  }

  #expectBindable(name: string, range: Range): void {
    const { start, end } = bytesOfRange(range);
    if (end - start <= this.maxBinding) return;
    throw new RangeError(
      `${this.#work.name}: "${name}" needs a binding of ${end - start} bytes, the device's largest is ${this.maxBinding} (maxStorageBufferBindingSize)`,
    );
  }

  /** The scratch that stands for a result; the same for every dispatch that writes a piece of it. */
  #standIn(target: Range): Range {
    const known = this.#staged.find((s) => s.target.storage === target.storage && s.target.first === target.first);
    if (known) return known.scratch;
    const dtype = target.storage.dtype === 'float16' ? 'float32' : target.storage.dtype;
    const scratch = { storage: this.scratch(dtype, target.count), first: 0, count: target.count };
    this.#staged.push({ target, scratch });
    return scratch;
  }

  /** Moves results to where they belong: two float16 to a word, or whole words. */
  #moveStaged(): void {
    for (const { target, scratch } of this.#staged.splice(0)) {
      if (target.storage.dtype === 'float16') this.#narrow(scratch, target);
      else this.#copy(scratch, target);
    }
  }

  #narrow(floats: Range, halves: Range): void {
    this.#dispatch({
      name: `${this.#work.name}: narrow`,
      variant: { kernel: narrow, choices: {}, given: new Set(['floats', 'halves']), constants: {} },
      ranges: { floats, halves },
      uniforms: { length: halves.count },
      workgroups: Math.ceil(Math.ceil((halves.count + 1) / 2) / 64),
    });
  }

  #endPass(): void {
    if (this.#inPass) return;
    this.#pass?.end();
    this.#pass = null;
  }

  #copy(from: Range, to: Range): void {
    if (this.#inPass) {
      throw new TypeError(
        `${this.#work.name}: a result in a buffer that is read too needs a copy, which a compute pass cannot hold; give context.encodeInto the encoder`,
      );
    }
    this.#endPass();
    const target = to.storage.byteOffset + to.first * 4;
    this.#encoder?.copyBufferToBuffer(from.storage.buffer!, 0, to.storage.buffer!, target, from.count * 4);
  }

  #dispatch({ name, variant, ranges, uniforms, workgroups }: Dispatch): void {
    const { device, pipelines, preparing } = this.#backend;
    this.variants.push([name, variant]);
    if (preparing || workgroups === 0) return;
    const made = pipelines.get(name, variant);
    this.failures.push(made.failure);
    this.#encoder ??= device.createCommandEncoder({ label: this.#work.name });
    this.#pass ??= this.#encoder.beginComputePass({ label: this.#work.name });
    this.#pass.setPipeline(made.pipeline);
    this.#pass.setBindGroup(0, this.#bind(name, made, ranges, uniforms));
    this.#pass.dispatchWorkgroups(...gridOf(workgroups));
  }

  #bind(
    name: string,
    { linked, pipeline }: Pipeline,
    ranges: Dispatch['ranges'],
    uniforms: Dispatch['uniforms'],
  ): GPUBindGroup {
    const stored = linked.bindings.filter(({ uniform }) => !uniform);
    const places = stored.map((binding) => {
      const range = ranges[binding.name];
      if (!range) throw new Error(`${name}: nothing was given for the binding "${binding.name}"`);
      return { index: binding.index, range, ...bytesOfRange(range) };
    });
    const offsets = places.map(({ range, start }) => (firstByte(range) - start) / bytesOf(range.storage.dtype, 1));
    const params = this.#uniform(encodeParams(name, linked.params, uniforms));
    const starts = this.#uniform(Uint32Array.from(offsets));
    const slots = linked.bindings.filter(({ uniform }) => uniform);
    return this.#backend.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        ...slots.map(({ index }) => ({ binding: index, resource: params })),
        ...places.map(({ index, range, start, end }) => ({
          binding: index,
          resource: { buffer: range.storage.buffer!, offset: start, size: Math.max(4, end - start) },
        })),
        { binding: offsetsIndex, resource: starts },
      ],
    });
  }

  /** Where a uniform will be. */
  #uniform(words: Uint32Array): GPUBufferBinding {
    if (this.#page?.used === pageSlots) this.#writePage();
    this.#page ??= {
      buffer: this.#take(pageSlots * alignment, uniformUsage),
      words: new Uint32Array(pageSlots * slot),
      used: 0,
    };
    const { buffer, used } = this.#page;
    this.#page.words.set(words, slot * this.#page.used++);
    return { buffer, offset: used * alignment, size: alignment };
  }

  /** One write for the uniforms of several dispatches, before they are submitted: on a software adapter a write costs what a small kernel does. */
  #writePage(): void {
    if (!this.#page) return;
    const { buffer, words, used } = this.#page;
    this.#backend.device.queue.writeBuffer(buffer, 0, words, 0, used * slot);
    this.#page = null;
  }

  #take(bytes: number, usages: number): GPUBuffer {
    const buffer = this.#backend.pool.take(bytes, usages, `${this.#work.name}: workspace`);
    this.taken.push(buffer);
    this.failures.push(this.#backend.pool.failureOf(buffer));
    return buffer;
  }
}

/** What runs of a pass: where lanes of the plan work together, the kernel for that. */
const kernelOf = ({ kernel, together }: BoundPass, { reduce }: Plan): Part =>
  together && reduce !== 'none' ? together.kernel : kernel;

/** Whether a kernel writes to a binding. `output` belongs to a seam. */
const writes = (part: Part, name: string): boolean =>
  name === 'output' ||
  part.text.includes(`read_write>${name}:`) ||
  part.text.includes(`read_write> ${name}:`) ||
  needsOf(part).some((need) => writes(need, name));

/**
 * What is linked and compiled for a pass.
 * @param native whether the output is stored as 16-bit floats
 */
function variantOf(pass: BoundPass, plan: Plan, inPlace: boolean, native: boolean): Variant {
  const { kernel, bindings } = pass;
  const half = bindings.input?.[0].dtype === 'float16';
  const choices = {
    reduce: seams.reduce[plan.reduce],
    exponentials: exponentialsFor(plan, inPlace),
    io: inPlace ? seams.io.inPlace : seams.io.separate,
    sums: seams.sums[bindings.parts ? 'parts' : 'own'],
    softcap: seams.softcap[pass.constants?.SOFTCAP ? 'tanh' : 'none'],
    inputElement: seams.input[!half ? 'word' : inPlace ? 'f16' : 'half'],
    outputElement: seams.output[native ? 'f16' : 'word'],
    ...pass.seams,
  };
  const lanes = { WORKGROUP: plan.lanes * plan.rows, LANES: plan.lanes, STRIPS: plan.strips ?? 1 };
  const constants = { ...lanes, TWICE: !!plan.twice, ...about(pass), ...pass.constants };
  // Where strips were summed in a pass before, this one has taken nothing that it could hold.
  const held = bindings.parts ? 0 : plan.held;
  return { kernel, choices, given: new Set(Object.keys(bindings)), constants, held, pace: plan.pace };
}

/** What makes a row's exponentials. To find the maximum along the way takes longer to compile, as two fours a step do. */
function exponentialsFor({ keeps, pace, twice }: Plan, inPlace: boolean): Part {
  if (!keeps) return seams.exponentials.made;
  return seams.exponentials[pace === 2 && !twice && !inPlace ? 'keptAlong' : 'kept'];
}

/** `softmax` of `softmax.wgsl`. */
const nameOf = (kernel: Part): string => kernel.file.slice(0, -5);

/** What a kernel may want to know of its bindings: which it has, and which are packed float16. */
const about = ({ bindings }: BoundPass): Constants =>
  Object.fromEntries(
    Object.entries(bindings).flatMap(([name, [{ dtype }]]) => [
      [`HAS_${name.toUpperCase()}`, true],
      [`HALF_${name.toUpperCase()}`, dtype === 'float16'],
    ]),
  );

function rangeOf(
  [storage, perRow, start = 0, length = storage.length]: Bound,
  { first, count }: Chunk,
  inner: number,
): Range {
  const perSlab = perRow * inner;
  if (perRow === 0) return { storage, first: start, count: length };
  return { storage, first: first * perSlab, count: count * perSlab };
}

const firstByte = ({ storage, first }: Range): number => storage.byteOffset + bytesOf(storage.dtype, first);

/** The bytes to bind: from an aligned byte at or before the first element, to the end of the word of the last. */
function bytesOfRange(range: Range): { start: number; end: number } {
  const first = range.count === 0 ? 0 : firstByte(range); // nothing may lie at the very end of a buffer
  return { start: first - (first % alignment), end: wholeWords(first + bytesOf(range.storage.dtype, range.count)) };
}

/** The fields of `Params` in their order; all are words. */
function encodeParams(
  name: string,
  fields: Pipeline['linked']['params'],
  uniforms: Readonly<Record<string, number>>,
): Uint32Array {
  const words = new Uint32Array(fields.length);
  const views = { u32: words, i32: new Int32Array(words.buffer), f32: new Float32Array(words.buffer) };
  fields.forEach((field, i) => {
    const value = uniforms[field.name];
    if (value === undefined) throw new Error(`${name}: nothing was given for params.${field.name}`);
    views[field.type as keyof typeof views][i] = value;
  });
  return words;
}
