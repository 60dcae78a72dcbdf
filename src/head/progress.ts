// What a training tells while it runs: how far it is, at what speed, and never less than before.

import type { EpochRecord, FitOptions, Settings } from './fit-options.js';

export class Progress {
  readonly #tell: FitOptions['onProgress'];
  readonly #settings: Settings;
  readonly #perEpoch: number;
  readonly #steps: number;
  readonly #began = performance.now();
  /** Rows, of steps that were taken again too. */
  #taken = 0;
  #told = 0;

  constructor(tell: FitOptions['onProgress'], settings: Settings, perEpoch: number) {
    this.#tell = tell;
    this.#settings = settings;
    this.#perEpoch = perEpoch;
    this.#steps = settings.epochs * perEpoch;
  }

  took(rows: number): void {
    this.#taken += rows;
  }

  /** @param recovered where the training goes on; said also of steps that are to be taken again */
  tell(step: number, epoch: number, record: EpochRecord, recovered?: string): void {
    if (step < this.#told && !recovered) return; // steps that are taken again
    this.#told = Math.max(this.#told, step);
    const seconds = (performance.now() - this.#began) / 1000;
    const rowsPerSecond = this.#taken / Math.max(seconds, 1e-3);
    this.#tell?.({
      epoch: Math.max(epoch, Math.ceil(this.#told / this.#perEpoch) - 1) + 1,
      epochs: this.#settings.epochs,
      step: this.#told,
      steps: this.#steps,
      ...record,
      rowsPerSecond,
      secondsLeft: ((this.#steps - this.#told) * this.#settings.batchSize) / Math.max(rowsPerSecond, 1e-3),
      ...(recovered ? { recovered } : {}),
    });
  }
}
