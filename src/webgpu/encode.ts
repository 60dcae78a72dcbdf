// Work that the caller submits: what `context.encodeInto` records into an encoder, or a compute pass, of the caller's.
//
// Nobody says when that encoder is submitted, or whether it ever is. So each recording has a ticket: a word on the device that is 1 from
// the start and 0 once the recording has run, because the last thing recorded clears it. No buffer that a recording uses is given to other
// work before its ticket is seen to be cleared: the queue may run that other work first. And whatever reads a result looks at the ticket
// on its way, so that numbers which are not computed yet are an error and never an answer.

import type { Storage } from '../backend.js';
import { CrossheadError } from '../errors.js';
import { shown } from '../validate.js';
import { type BufferPool, bytesOf, type Failure, stagingUsage, storageUsage } from './buffers.js';
import type { Nudges } from './nudge.js';

/** What takes commands. */
export type Target = GPUCommandEncoder | GPUComputePassEncoder;

export const isPass = (target: Target): target is GPUComputePassEncoder => 'dispatchWorkgroups' in target;

export function expectTarget(fn: string, target: unknown): void {
  const takes = (method: string) => typeof (target as Record<string, unknown> | null)?.[method] === 'function';
  if (takes('beginComputePass') || takes('dispatchWorkgroups')) return;
  throw new TypeError(`${fn}: "encoder" must be a GPUCommandEncoder or a GPUComputePassEncoder, got ${shown(target)}`);
}

interface Ticket {
  readonly word: GPUBuffer;
  readonly held: Set<GPUBuffer>;
  /** Recordings whose results this one reads or overwrites. */
  readonly after: Set<Ticket>;
}

/** So many recordings are open before one looks which of them have run. */
const most = 8;

export class Recordings {
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #nudges: Nudges;
  readonly #watch: () => () => Failure;
  #current: { readonly target: Target; readonly ticket: Ticket } | null = null;
  /** Recordings that are not known to have run. */
  readonly #open = new Set<Ticket>();
  /** Which recording writes to what of a buffer. */
  readonly #writers = new WeakMap<GPUBuffer, Map<Storage, Ticket>>();
  #looking = false;

  constructor(device: GPUDevice, pool: BufferPool, nudges: Nudges, watch: () => () => Failure) {
    this.#device = device;
    this.#pool = pool;
    this.#nudges = nudges;
    this.#watch = watch;
  }

  /** Where work is recorded now; null where it is submitted at once. */
  get target(): Target | null {
    return this.#current?.target ?? null;
  }

  /** @param clear records that a word becomes 0, and gives the buffers that this takes */
  record<T>(target: Target, calls: () => T, clear: (word: GPUBuffer) => readonly GPUBuffer[]): T {
    const outer = this.#current;
    const word = this.#pool.take(4, storageUsage, 'crosshead: ticket');
    const end = this.#watch();
    this.#device.queue.writeBuffer(word, 0, Uint32Array.of(1));
    void end();
    const ticket: Ticket = { word, held: new Set(), after: new Set() };
    this.#open.add(ticket);
    this.#current = { target, ticket };
    try {
      return calls();
    } finally {
      // Also where the calls threw: the caller may submit what came before.
      const used = clear(word);
      this.#hold(ticket, used);
      for (const buffer of used) this.#pool.give(buffer);
      this.#current = outer;
      if (this.#open.size >= most) this.#lookSoon();
    }
  }

  /** Work that was recorded, and all the buffers that it uses. */
  add(reads: readonly Storage[], writes: readonly Storage[], scratch: readonly GPUBuffer[]): void {
    const { ticket } = this.#current!;
    for (const other of this.#behind([...reads, ...writes])) if (other !== ticket) ticket.after.add(other);
    this.#hold(ticket, [...[...reads, ...writes].map(({ buffer }) => buffer!), ...scratch]);
    for (const storage of writes) {
      const writers = this.#writers.get(storage.buffer!) ?? new Map<Storage, Ticket>();
      this.#writers.set(storage.buffer!, writers.set(storage, ticket));
    }
  }

  /** What is wrong with storages that are used by what is submitted next: null, but where a recording that they come from has not run. */
  missing(storages: readonly Storage[]): Failure | null {
    const tickets = this.#behind(storages);
    return tickets.size ? this.#look([...tickets]) : null;
  }

  /** Takes back the buffers of all recordings that have run. */
  async settle(): Promise<void> {
    if (this.#open.size) await this.#look([...this.#open]);
  }

  dispose(): void {
    this.#open.clear();
  }

  #hold(ticket: Ticket, buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      if (ticket.held.has(buffer)) continue;
      ticket.held.add(buffer);
      this.#pool.hold(buffer);
    }
  }

  /** The open recordings that storages come from, and those that these come from. */
  #behind(storages: readonly Storage[]): Set<Ticket> {
    const found = new Set<Ticket>();
    const visit = (ticket: Ticket) => {
      if (!this.#open.has(ticket) || found.has(ticket)) return;
      found.add(ticket);
      for (const other of ticket.after) visit(other);
    };
    if (this.#open.size === 0) return found;
    for (const storage of storages) {
      // By place, not by storage: the same buffer may be wrapped in another shape.
      for (const [written, ticket] of this.#writers.get(storage.buffer!) ?? []) {
        if (written.byteOffset < endOf(storage) && storage.byteOffset < endOf(written)) visit(ticket);
      }
    }
    return found;
  }

  /** Looks at the words as the queue has them now, and frees what those that are cleared have held. */
  async #look(tickets: readonly Ticket[]): Failure {
    const staging = this.#pool.take(4 * tickets.length, stagingUsage, 'crosshead: tickets');
    const end = this.#watch();
    const encoder = this.#device.createCommandEncoder();
    for (const [i, { word }] of tickets.entries()) encoder.copyBufferToBuffer(word, 0, staging, 4 * i, 4);
    this.#device.queue.submit([encoder.finish()]);
    const mapped = this.#nudges.until(staging.mapAsync(1, 0, 4 * tickets.length));
    const wrong = end();
    try {
      await mapped;
      const words = new Uint32Array(staging.getMappedRange(0, 4 * tickets.length).slice(0));
      staging.unmap();
      this.#pool.give(staging);
      for (const [i, ticket] of tickets.entries()) if (words[i] === 0) this.#close(ticket);
      if (words.every((word) => word === 0)) return null;
      return new CrossheadError(
        'What context.encodeInto recorded had not run when its result was used: submit its encoder first.',
      );
    } catch {
      this.#pool.destroy(staging);
      return wrong; // a lost device is told by whoever reads
    }
  }

  #close(ticket: Ticket): void {
    if (!this.#open.delete(ticket)) return;
    ticket.after.clear();
    for (const buffer of ticket.held) {
      const writers = this.#writers.get(buffer);
      for (const [storage, writer] of writers ?? []) if (writer === ticket) writers!.delete(storage);
      this.#pool.unhold(buffer);
    }
    this.#pool.give(ticket.word);
  }

  /** In a task of its own: `encodeInto` itself submits nothing. */
  #lookSoon(): void {
    if (this.#looking) return;
    this.#looking = true;
    setTimeout(() => {
      void this.settle().finally(() => {
        this.#looking = false;
      });
    });
  }
}

const endOf = ({ byteOffset, dtype, length }: Storage): number => byteOffset + bytesOf(dtype, length);
