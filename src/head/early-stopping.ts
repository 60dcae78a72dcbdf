// Early stopping: the best weights so far, which stay on the device, and how many epochs ago they were.

import type { Values } from '../backend.js';
import type { Context } from '../context.js';
import { gatherRows } from '../operations/gather-rows.js';
import type { Tensor } from '../tensor.js';
import type { EpochRecord, Settings } from './fit-options.js';
import { orderOf } from './random.js';
import { scoped } from './scope.js';

interface Best<T> {
  /** By parameter. */
  readonly weights: readonly T[];
  /** From 1. */
  readonly epoch: number;
  /** The less the better. */
  readonly value: number;
}

/** What a lost device would take along, on the host. */
export interface StoppingState {
  readonly best: Best<Values> | null;
  readonly waited: number;
}

export class EarlyStopping {
  readonly #settings: NonNullable<Settings['stopping']>;
  #best: Best<Tensor> | null = null;
  #waited = 0;

  constructor(settings: NonNullable<Settings['stopping']>) {
    this.#settings = settings;
  }

  /** Whether the patience is at its end. */
  get ends(): boolean {
    return this.#waited >= this.#settings.patience;
  }

  /** Looks at what an epoch, from 1, came to. */
  look(epoch: number, { validationLoss, validationAccuracy }: EpochRecord, parameters: readonly Tensor[]): void {
    const { monitor, minDelta } = this.#settings;
    const value = monitor === 'loss' ? validationLoss! : -validationAccuracy!;
    if (value < (this.#best?.value ?? Number.POSITIVE_INFINITY) - minDelta) {
      this.dispose();
      this.#best = { weights: parameters.map((tensor) => copyOf(tensor)), epoch, value };
      this.#waited = 0;
    } else this.#waited++;
  }

  /** @returns the epoch that was best; 0 where none was better than nothing */
  restoreBest(parameters: readonly Tensor[]): number {
    const best = this.#best;
    if (!best) return 0;
    for (const [i, tensor] of parameters.entries()) copyOf(best.weights[i], tensor);
    return best.epoch;
  }

  async state(): Promise<StoppingState> {
    const [best, waited] = [this.#best, this.#waited];
    if (!best) return { best, waited };
    const weights = await Promise.all(best.weights.map((tensor) => tensor.data()));
    return { best: { ...best, weights }, waited };
  }

  /** Goes on from what `state` gave, on another device. */
  restore({ best, waited }: StoppingState, context: Context, parameters: readonly Tensor[]): void {
    this.dispose();
    const placed = (values: Values, i: number) => context.tensor(values, parameters[i].shape);
    this.#best = best && { ...best, weights: best.weights.map(placed) };
    this.#waited = waited;
  }

  dispose(): void {
    for (const tensor of this.#best?.weights ?? []) tensor.dispose();
    this.#best = null; // so that nothing freed is meant, should a copy fail
  }
}

function copyOf(tensor: Tensor, into?: Tensor): Tensor {
  const rows = tensor.shape[0];
  return scoped((keep) => gatherRows(tensor, keep(tensor.context.tensor(orderOf(rows))), 0, into ?? rows));
}
