// The one interface between what an operation means (src/operations) and the machines that run it (src/cpu, src/webgpu).
//
// An operation checks its arguments, then hands the context one `Work`: the tensors it reads, the results it writes, a plain
// loop over arrays for the CPU, and the passes of kernels that do the same on a GPU. A backend owns memory (`Storage`) and runs
// work in the order in which it comes. Nothing waits but `read` and `finished`: what goes wrong on a GPU after a call has returned
// stays with the storages that the call wrote (`Storage.failure`) and is thrown when one of them, or anything made from it, is read.

import type { Loops } from './cpu/loops.js';
import type { Rows } from './rows.js';
import type { Part } from './webgpu/link.js';

/**
 * What a tensor's elements are. float16 is storage: sums are float32, and `data()` gives a Float32Array. int8 is storage for the weight of a
 * linear head.
 */
export type DType = 'float32' | 'float16' | 'int32' | 'uint32' | 'int8';

/** The numbers of a tensor as JavaScript sees them; float16 is a Float32Array of rounded values. */
export type Values = Float32Array | Int32Array | Uint32Array | Int8Array;

/** What a backend needs to know to make room for a tensor. */
export interface Spec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** An operand that is not on the device yet. Its values may be the caller's own, so that they are uploaded before a call returns. */
export interface HostOperand extends Spec {
  readonly values: Values;
}

/** The memory of a tensor: `values` on the CPU, `buffer` on a GPU. */
export interface Storage {
  readonly dtype: DType;
  readonly length: number; // elements
  readonly values: Values | null;
  readonly buffer: GPUBuffer | null;
  readonly byteOffset: number;
  /** Set while work that writes here may still turn out to have failed; settles to its error, or to null. */
  failure: Promise<Error | null> | null;
}

/**
 * A storage and how many of its elements belong to one row. 0 binds all of it for every row, or `count` elements from `first`.
 */
export type Bound = readonly [storage: Storage, perRow: number, first?: number, count?: number];

/** What makes the `parts` of rows in strips: a kernel that writes so many words of each strip to `strips`. */
export interface Splits {
  readonly kernel: Part;
  readonly words: number;
}

/** Values of a kernel's `override`s. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** One kernel over rows. The backend picks the variant, cuts the rows into what a binding and a dispatch can hold, and binds by name. */
export interface RowPass {
  readonly kernel: Part;
  readonly rows: Rows;
  /** By the names that the kernel declares; undefined for what the call does not have. `input` and `output` may be one storage; no other pair may. */
  readonly bindings: Readonly<Record<string, Bound | undefined>>;
  /** Fields of the kernel's `Params`; rows, classes, inner and first_row (the number of the first of `rows`) are filled in. */
  readonly uniforms?: Readonly<Record<string, number>>;
  readonly constants?: Constants;
  /** Choices for the seams that are the operation's own. */
  readonly seams?: Readonly<Record<string, Part>>;
  /** For kernels that can take few long rows in strips, each of which reads of the others nothing but their `parts`. */
  readonly splits?: Splits;
  /** For kernels that can keep the exponentials of a row in `output` until their sum is known. */
  readonly keeps?: boolean;
  /** What a lane or a lane group takes, where it is not a row: how many there are for a number of rows, and how long each is. */
  readonly pieces?: { readonly count: (rows: number) => number; readonly length: number };
  /** What runs instead under a plan whose lanes work together, laid out in its own way: with barriers, which software adapters are slow at. */
  readonly together?: { readonly kernel: Part; readonly workgroups: (rows: number) => number };
  /** Workgroups for a number of rows, where it is not the plan's (one invocation or lane group a row). */
  readonly workgroups?: (rows: number) => number;
}

/** What work on a GPU is written with. */
export interface GpuWork {
  rows(pass: RowPass): void;
  /** Rounds floats to as many float16, which a kernel without the feature shader-f16 cannot store one by one. */
  narrow(floats: Bound, halves: Bound): void;
  /** Room that is needed until the work is done. */
  scratch(dtype: DType, length: number): Storage;
  /** The largest binding, in bytes, for operations that cut something other than rows. */
  readonly maxBinding: number;
  /** How many storage buffers one kernel may bind. */
  readonly maxStorageBuffers: number;
}

export interface Work {
  /** The public function, for errors. */
  readonly name: string;
  readonly reads: Readonly<Record<string, Storage>>;
  readonly writes: Readonly<Record<string, Storage>>;
  /** Something read that is looked at in JavaScript: on the CPU before the work, on a GPU when its results are read. */
  readonly check?: { readonly of: string; expect(values: Values): void };
  cpu(arrays: Record<string, Values>, loops: Loops): void;
  gpu(gpu: GpuWork, storages: Record<string, Storage>): void;
}

/** What a context holds. */
export interface MemoryReport {
  /** Tensors that are not disposed of. */
  tensors: number;
  /** GPU buffers that exist, pooled ones too; on the CPU, arrays. */
  buffers: number;
  /** Bytes of tensors and of work in flight. */
  bytesInUse: number;
  /** bytesInUse and what the pool keeps for the next call; on the CPU, what the WebAssembly memory has grown to. */
  bytesAllocated: number;
}

/** Why a device was lost, as the platform says it. */
export interface LostInfo {
  /** 'destroyed', also where the context was disposed of; else 'unknown'. */
  readonly reason: string;
  /** In the browser's words; may be empty. */
  readonly message: string;
}

export interface Backend {
  readonly name: 'webgpu' | 'cpu';
  readonly device: GPUDevice | null;
  readonly adapterInfo: GPUAdapterInfo | null;
  readonly lost: Promise<LostInfo>;
  allocate(spec: Spec, label: string, fn?: string): Storage;
  /** Copies the values. */
  upload(spec: Spec, values: Values, label: string, fn?: string): Storage;
  /** A caller's buffer, where there are GPU buffers; `release` leaves it alone. */
  wrap?(fn: string, spec: Spec, buffer: GPUBuffer, byteOffset: number): Storage;
  release(storage: Storage): void;
  /** Queues the work and returns the name of the plan that ran it. */
  run(work: Work): string;
  /** Records the work inside `calls` into a caller's encoder or compute pass, where there are such, and submits none of it. */
  encodeInto?<T>(fn: string, target: GPUCommandEncoder | GPUComputePassEncoder, calls: () => T): T;
  /** Collects the pipelines that the work inside `calls` needs, and runs none of it. */
  prepare(calls: () => void): Promise<void>;
  /** Into a new array, or into one of the right kind and length. */
  read(storage: Storage, into?: Values): Promise<Values>;
  finished(): Promise<void>;
  memory(): Omit<MemoryReport, 'tensors'>;
  dispose(): void;
}
