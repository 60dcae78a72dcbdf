// Training: mini-batches on the device, progress that is read back now and then, early stopping, and a way on when a device is lost.

import type { Values } from '../backend.js';
import { DeviceLostError } from '../errors.js';
import { adam } from '../operations/adam.js';
import { clipGradients } from '../operations/clip-gradients.js';
import { gatherRows } from '../operations/gather-rows.js';
import type { Optimizer, OptimizerState } from '../operations/optimizer.js';
import { tally } from '../operations/tally.js';
import type { Tensor } from '../tensor.js';
import { knownOptions } from '../validate.js';
import {
  canMove,
  type Examples,
  type ExampleTargets,
  examplesOf,
  type Features,
  type HeadParts,
  inChunks,
  Resident,
} from './examples.js';
import { type EpochRecord, type FitOptions, fn, type History, type Settings, settingsOf } from './fit-options.js';
import { expectTargets, type Objective, outcomeOf } from './objective.js';
import { generator, orderOf } from './random.js';
import { type Move, renewed } from './recovery.js';
import { scoped, slicer } from './scope.js';
import { warmStart } from './warm-start.js';

/** A training's place, on the host: what is lost with a device. */
interface Snapshot {
  readonly step: number;
  readonly history: readonly EpochRecord[];
  readonly weight: Values;
  readonly bias: Values | null;
  readonly states: readonly (OptimizerState | null)[];
  readonly totals: Values;
  readonly best: { readonly weights: readonly Values[]; readonly epoch: number; readonly value: number } | null;
  readonly waited: number;
}

/** Milliseconds between readbacks on a GPU, about. */
const window = 100;
/** A snapshot may cost a twentieth of the time. */
const snapshotShare = 20;

/** Trains a head: `ClassificationHead.fit` says how. */
export async function train(
  head: HeadParts,
  move: Move,
  features: Features,
  targets: ExampleTargets,
  options: FitOptions,
): Promise<History> {
  const settings = settingsOf(head, targets, options);
  const { objective } = settings;
  const training = examplesOf(fn, head, features, targets, objective.ignoreIndex);
  expectTargets(fn, objective, training);
  if (training.count === 0) throw new RangeError(`${fn}: "features" must hold at least one row`);
  const { validation } = options;
  if (validation !== undefined) knownOptions(`${fn}: "validation"`, validation, ['features', 'targets']);
  const held = validation
    ? examplesOf(`${fn}: "validation"`, head, validation.features, validation.targets, objective.ignoreIndex)
    : null;
  if (held) expectTargets(`${fn}: "validation"`, objective, held);
  options.signal?.throwIfAborted();
  const optimizer = options.optimizer ?? adam({ learningRate: 0.01 });
  const run = new Run(head, move, training, held, settings, optimizer, options);
  const learningRate = optimizer.learningRate;
  try {
    return await run.finish();
  } finally {
    run.dispose();
    optimizer.learningRate = learningRate;
    if (!options.optimizer) optimizer.dispose();
  }
}

class Run {
  readonly #head: HeadParts;
  readonly #move: Move;
  readonly #examples: { readonly training: Examples; readonly validation: Examples | null };
  readonly #settings: Settings;
  readonly #optimizer: Optimizer;
  readonly #options: FitOptions;
  readonly #steps: number;
  readonly #perEpoch: number;
  readonly #rate: number;
  readonly #between: () => Promise<void>;
  /** What lies on the device, and moves with the head. */
  #training!: Resident;
  #validation: Resident | null = null;
  #totals!: Tensor;
  #order: Tensor | null = null;
  #best: { tensors: Tensor[]; epoch: number; value: number } | null = null;
  #waited = 0;
  #history: EpochRecord[] = [];
  #step = 0;
  #snapshot: Snapshot | null = null;
  #nextSnapshot = 0;
  #losses = 0;
  #told = 0;
  /** For the speed. */
  #began = performance.now();
  #taken = 0;

  constructor(
    head: HeadParts,
    move: Move,
    training: Examples,
    validation: Examples | null,
    settings: Settings,
    optimizer: Optimizer,
    options: FitOptions,
  ) {
    this.#head = head;
    this.#move = move;
    this.#examples = { training, validation };
    this.#settings = settings;
    this.#optimizer = optimizer;
    this.#options = options;
    this.#perEpoch = Math.ceil(training.count / settings.batchSize);
    this.#steps = settings.epochs * this.#perEpoch;
    this.#rate = optimizer.learningRate;
    this.#between = slicer(options.signal);
  }

  get #parameters(): Tensor[] {
    const { weight, bias } = this.#head;
    return bias ? [weight, bias] : [weight];
  }

  async finish(): Promise<History> {
    for (;;) {
      try {
        this.#place();
        if (this.#options.warmStart && this.#step === 0 && !this.#snapshot)
          await warmStart(this.#head, this.#training, this.#between);
        const stopped = await this.#train();
        const bestEpoch = this.#settings.stopping ? { bestEpoch: this.#restoreBest() } : {};
        await this.#head.weight.context.finished();
        return { epochs: this.#history, ...bestEpoch, stoppedEarly: stopped };
      } catch (error) {
        if (!(error instanceof DeviceLostError) || !this.#canRecover()) throw error;
        await this.#recover(error);
      }
    }
  }

  dispose(): void {
    this.#training?.dispose();
    this.#validation?.dispose();
    this.#totals?.dispose();
    this.#order?.dispose();
    this.#order = null;
    for (const tensor of this.#best?.tensors ?? []) tensor.dispose();
  }

  #place(): void {
    if (this.#training) return;
    const { context } = this.#head.weight;
    const { training, validation } = this.#examples;
    this.#totals = context.tensor(new Float32Array(3));
    this.#training = new Resident(context, training);
    this.#validation = validation && new Resident(context, validation);
  }

  /** Whether early stopping ended it. */
  async #train(): Promise<boolean> {
    if (!this.#snapshot) await this.#keep();
    let every = 4; // steps to the next readback
    let since = performance.now();
    let next = this.#step + every;
    while (this.#step < this.#steps) {
      const epoch = Math.floor(this.#step / this.#perEpoch);
      this.#takeStep(epoch);
      await this.#between();
      const ends = this.#step === (epoch + 1) * this.#perEpoch;
      if (!ends && this.#step < next) continue;
      const totals = await this.#totals.data();
      this.#options.signal?.throwIfAborted();
      let record: EpochRecord = this.#recordOf(totals);
      const now = performance.now();
      every = Math.max(1, Math.min(2 * every, Math.round((every * window) / Math.max(1, now - since))));
      [since, next] = [now, this.#step + every];
      if (ends) record = await this.#endEpoch(record);
      this.#tell(epoch, record);
      if (ends && this.#settings.stopping && this.#waited >= this.#settings.stopping.patience) return true;
      await this.#keep(totals);
    }
    return false;
  }

  #takeStep(epoch: number): void {
    const { batchSize, clipNorm, objective, schedule, seed } = this.#settings;
    const rows = this.#examples.training.count;
    const inEpoch = this.#step % this.#perEpoch;
    if (inEpoch === 0) {
      this.#order?.dispose();
      this.#order = null;
    }
    this.#order ??= this.#head.weight.context.tensor(orderOf(rows, generator(seed, epoch)));
    const first = inEpoch * batchSize;
    const made: Tensor[] = [];
    try {
      const batch = this.#training.batch(this.#order, first, Math.min(batchSize, rows - first));
      made.push(batch.features, batch.targets);
      const { loss, correct, gradients } = outcomeOf(this.#head, batch, objective, true);
      made.push(loss, correct, ...gradients);
      if (clipNorm) made.push(clipGradients(gradients, clipNorm));
      this.#optimizer.learningRate = this.#rate * schedule(this.#step, this.#steps);
      this.#optimizer.step(this.#parameters, gradients);
      add(objective, loss, correct, batch.targets, this.#totals, inEpoch === 0);
    } finally {
      for (const tensor of made) tensor.dispose();
    }
    this.#step++;
    this.#taken += Math.min(batchSize, rows - first);
  }

  #recordOf([loss, right, rows]: ArrayLike<number> & Iterable<number>): { loss: number; accuracy: number } {
    const { scale, answers } = this.#settings.objective;
    return { loss: (loss / rows) * scale, accuracy: right / (rows * answers) };
  }

  async #endEpoch(training: { loss: number; accuracy: number }): Promise<EpochRecord> {
    if (!this.#validation) {
      this.#history.push(training);
      return training;
    }
    const { loss, accuracy } = this.#recordOf(await this.#validate(this.#validation));
    const record = { ...training, validationLoss: loss, validationAccuracy: accuracy };
    this.#history.push(record);
    const { stopping } = this.#settings;
    if (!stopping) return record;
    const value = stopping.monitor === 'loss' ? loss : -accuracy;
    if (value < (this.#best?.value ?? Number.POSITIVE_INFINITY) - stopping.minDelta) {
      this.#rememberBest(this.#history.length, value);
      this.#waited = 0;
    } else this.#waited++;
    return record;
  }

  #validate(resident: Resident): Promise<Values> {
    const { objective } = this.#settings;
    return scoped(async (keep) => {
      const totals = keep(this.#head.weight.context.tensor(new Float32Array(3)));
      const work = ({ features, targets }: { features: Tensor; targets: Tensor | null }, first: number) =>
        scoped((own) => {
          const batch = { features, targets: targets! };
          const { loss, correct } = outcomeOf(this.#head, batch, objective, false);
          add(objective, own(loss), own(correct), batch.targets, totals, first === 0);
        });
      await inChunks(this.#head, resident, work, this.#between);
      return totals.data();
    });
  }

  #rememberBest(epoch: number, value: number): void {
    for (const tensor of this.#best?.tensors ?? []) tensor.dispose();
    this.#best = null; // so that nothing freed is meant, should a copy fail
    this.#best = { tensors: this.#parameters.map((tensor) => copyOf(tensor)), epoch, value };
  }

  #restoreBest(): number {
    const best = this.#best;
    if (!best) return 0;
    for (const [i, tensor] of this.#parameters.entries()) copyOf(best.tensors[i], tensor);
    return best.epoch;
  }

  #tell(epoch: number, record: EpochRecord, recovered?: string): void {
    if (this.#step < this.#told && !recovered) return; // steps that are taken again
    this.#told = Math.max(this.#told, this.#step);
    const seconds = (performance.now() - this.#began) / 1000;
    const rowsPerSecond = this.#taken / Math.max(seconds, 1e-3);
    const step = this.#told;
    this.#options.onProgress?.({
      epoch: Math.max(epoch, Math.ceil(step / this.#perEpoch) - 1) + 1,
      epochs: this.#settings.epochs,
      step,
      steps: this.#steps,
      ...record,
      rowsPerSecond,
      secondsLeft: ((this.#steps - step) * this.#settings.batchSize) / Math.max(rowsPerSecond, 1e-3),
      ...(recovered ? { recovered } : {}),
    });
  }

  #canRecover(): boolean {
    return this.#options.recover !== false && this.#snapshot !== null && canMove(...Object.values(this.#examples));
  }

  /** Copies to the host what a lost device would take along; not more often than its cost allows. */
  async #keep(totals: Values = new Float32Array(3)): Promise<void> {
    const { weight, bias } = this.#head;
    const began = performance.now();
    if (weight.context.backend === 'cpu' || this.#options.recover === false || began < this.#nextSnapshot) return;
    const step = this.#step;
    const best = this.#best;
    const [kept, keptBias, states, weights] = await Promise.all([
      weight.data(),
      bias?.data() ?? null,
      this.#optimizer.state(this.#parameters),
      Promise.all(best?.tensors.map((tensor) => tensor.data()) ?? []),
    ]);
    this.#snapshot = {
      step,
      history: [...this.#history],
      weight: kept,
      bias: keptBias,
      states,
      totals,
      best: best && { weights, epoch: best.epoch, value: best.value },
      waited: this.#waited,
    };
    const now = performance.now();
    this.#nextSnapshot = now + snapshotShare * (now - began);
  }

  async #recover(error: DeviceLostError): Promise<void> {
    const snapshot = this.#snapshot!;
    const before = this.#parameters;
    this.dispose();
    this.#optimizer.restore(
      before,
      before.map(() => null),
    ); // frees what is kept on the lost device
    const context = await renewed(before[0].context, ++this.#losses > 3);
    this.#move(context, snapshot.weight, snapshot.bias);
    this.#optimizer.restore(this.#parameters, snapshot.states);
    this.#training = undefined as never;
    this.#place();
    const totals = context.tensor(snapshot.totals);
    this.#totals.dispose();
    this.#totals = totals;
    const { best } = snapshot;
    const shapes = this.#parameters.map(({ shape }) => shape);
    this.#best = best && { ...best, tensors: best.weights.map((values, i) => context.tensor(values, shapes[i])) };
    this.#waited = snapshot.waited;
    this.#history = [...snapshot.history];
    this.#step = snapshot.step;
    const said = `${error.message} The training goes on from step ${snapshot.step}. ${context.reason}`;
    const epoch = Math.max(0, Math.ceil(this.#told / this.#perEpoch) - 1);
    this.#tell(epoch, this.#recordOf(snapshot.totals as Float32Array), said);
  }
}

function add(
  { ignoreIndex }: Objective,
  loss: Tensor,
  correct: Tensor,
  targets: Tensor,
  totals: Tensor,
  starts: boolean,
): void {
  const indices = ignoreIndex !== null && targets.shape.length === 1 ? targets : null;
  tally(loss, correct, indices, ignoreIndex ?? 0, totals, starts);
}

function copyOf(tensor: Tensor, into?: Tensor): Tensor {
  const rows = tensor.shape[0];
  return scoped((keep) => gatherRows(tensor, keep(tensor.context.tensor(orderOf(rows))), 0, into ?? rows));
}
