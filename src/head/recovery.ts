// How a head goes on when its device is lost: a copy of its weights on the host, and another context like the lost one.

import type { Values } from '../backend.js';
import { type Context, createContext } from '../context.js';
import { DeviceLostError } from '../errors.js';
import type { Tensor } from '../tensor.js';

/** Gives a head new tensors of its own, with these values. */
export type Move = (context: Context, weight: Values, bias: Values | null) => void;

/** Another context like one whose device was lost; the CPU where there is none, or where the device was borrowed. */
export async function renewed(lost: Context, cpu: boolean): Promise<Context> {
  const { device, ...options } = lost.options;
  const onCpu = () => createContext({ ...options, backend: 'cpu' });
  return device || cpu ? onCpu() : createContext(options).catch(onCpu);
}

/** What weights are, on the host. */
export interface HostWeights {
  readonly weight: Values;
  readonly bias: Values | null;
}

interface Weights {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
}

/** What a head's weights were once: in which tensor, since a training may move the head, and of which writes. */
interface Copy extends HostWeights {
  readonly from: Tensor;
  readonly of: string;
}

/** Changes with every operation that writes to the weights; null where others may write to them. */
const revisionOf = ({ weight, bias }: Weights): string | null => {
  const revisions = [weight.revision, bias?.revision ?? 0];
  return revisions.some(Number.isNaN) ? null : revisions.join();
};

/** Something that a head does. */
interface Work<T> {
  /** Where it was begun. */
  readonly from: Context;
  readonly begun: Promise<T>;
  /** Begins it anew. */
  begin(): Promise<T>;
  /** Whether nothing that it takes is lost with a device. */
  readonly movable: boolean;
  /** Whether the head is in a training, which sees to a lost device itself. */
  busy(): boolean;
}

/** After so many losses a head goes on on the CPU. */
const mostLosses = 3;

/** Of one head. */
export class Recovery {
  readonly #head: Weights;
  readonly #move: Move;
  #copy: Copy | null = null;
  #renewing: Promise<void> | null = null;
  #losses = 0;

  /** @param made what the head was made of: its tensors before anything was written to them */
  constructor(head: Weights, move: Move, made: HostWeights | null) {
    this.#head = head;
    this.#move = move;
    this.#copy = made && { from: head.weight, of: '0,0', ...made };
  }

  /** The weights as they are now; null where they were not read since they were written. */
  get copy(): HostWeights | null {
    const { weight } = this.#head;
    return this.#copy?.from === weight && this.#copy.of === revisionOf(this.#head) ? this.#copy : null;
  }

  /**
   * What work comes to; where the device is lost meanwhile, what it comes to on another. An answer is never of weights that are older than the
   * head's: where the copy is, the error stays.
   */
  async lasting<T>({ from, begun, begin, movable, busy }: Work<T>): Promise<T> {
    for (let [context, work] = [from, begun]; ; ) {
      const keeping = this.keep();
      keeping.catch(() => {}); // thrown below, when the work has ended
      try {
        const result = await work;
        await keeping;
        return result;
      } catch (error) {
        if (!(error instanceof DeviceLostError) || busy()) throw error;
        await this.#renew(context, error);
        if (!movable) throw error;
        context = this.#head.weight.context;
        work = begin();
      }
    }
  }

  /** Copies the weights to the host, where they have changed since. */
  async keep(): Promise<void> {
    const { weight, bias } = this.#head;
    const of = revisionOf(this.#head);
    if (of === null || this.copy) return;
    const [kept, keptBias] = await Promise.all([weight.data(), bias?.data() ?? null]);
    this.#copy = { from: weight, of, weight: kept, bias: keptBias };
  }

  /** Moves the head away from a context, once. */
  async #renew(from: Context, error: DeviceLostError): Promise<void> {
    if (this.#head.weight.context !== from) return;
    this.#renewing ??= this.#moveOn(from, error).finally(() => {
      this.#renewing = null;
    });
    await this.#renewing;
  }

  async #moveOn(from: Context, error: DeviceLostError): Promise<void> {
    const { copy } = this;
    if (!copy) throw error;
    const context = await renewed(from, ++this.#losses > mostLosses);
    this.#move(context, copy.weight, copy.bias);
    this.#copy = { ...copy, from: this.#head.weight, of: revisionOf(this.#head)! };
  }
}
