// Training: mini-batches on the device, progress that is read back now and then, early stopping, and a way on when a device is lost.

import type { Values } from '../backend.js';
import { DeviceLostError } from '../errors.js';
import { adam } from '../operations/adam.js';
import { clipGradients } from '../operations/clip-gradients.js';
import type { Optimizer, OptimizerState } from '../operations/optimizer.js';
import { tally } from '../operations/tally.js';
import type { Tensor } from '../tensor.js';
import { knownOptions } from '../validate.js';
import { EarlyStopping, type StoppingState } from './early-stopping.js';
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
import { Progress } from './progress.js';
import { generator, orderOf } from './random.js';
import { type HostWeights, type Move, renewed } from './recovery.js';
import { scoped, slicer } from './scope.js';
import { warmStart } from './warm-start.js';

/** A training's place, on the host: what is lost with a device. */
interface Snapshot extends HostWeights {
  readonly step: number;
  readonly history: readonly EpochRecord[];
  readonly states: readonly (OptimizerState | null)[];
  readonly totals: Values;
  readonly stopping: StoppingState;
}

/** Milliseconds between readbacks on a GPU, about. */
const window = 100;
/** A snapshot may cost a twentieth of the time. */
const snapshotShare = 20;
/** Without early stopping, and before it has looked at an epoch. */
const unstopped: StoppingState = { best: null, waited: 0 };

/**
 * Trains a head: `ClassificationHead.fit` says how.
 * @param copy of the head's weights, where it has one
 */
export async function train(
  head: HeadParts,
  move: Move,
  copy: HostWeights | null,
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
  if (held?.count === 0) throw new RangeError(`${fn}: "validation" must hold at least one row`);
  options.signal?.throwIfAborted();
  const optimizer = options.optimizer ?? adam({ learningRate: 0.01 });
  const run = new Run(head, move, copy, { training, validation: held }, settings, optimizer, options);
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
  /** As the weights were before the training. */
  readonly #copy: HostWeights | null;
  readonly #examples: { readonly training: Examples; readonly validation: Examples | null };
  readonly #settings: Settings;
  readonly #optimizer: Optimizer;
  readonly #options: FitOptions;
  readonly #steps: number;
  readonly #perEpoch: number;
  readonly #rate: number;
  readonly #between: () => Promise<void>;
  readonly #progress: Progress;
  readonly #stopping: EarlyStopping | null;
  /** What lies on the device, and moves with the head. */
  #training!: Resident;
  #validation: Resident | null = null;
  #totals!: Tensor;
  #order: Tensor | null = null;
  #history: EpochRecord[] = [];
  #step = 0;
  #snapshot: Snapshot | null = null;
  #nextSnapshot = 0;
  #losses = 0;

  constructor(
    head: HeadParts,
    move: Move,
    copy: HostWeights | null,
    examples: { training: Examples; validation: Examples | null },
    settings: Settings,
    optimizer: Optimizer,
    options: FitOptions,
  ) {
    this.#head = head;
    this.#move = move;
    this.#copy = copy;
    this.#examples = examples;
    this.#settings = settings;
    this.#optimizer = optimizer;
    this.#options = options;
    this.#perEpoch = Math.ceil(examples.training.count / settings.batchSize);
    this.#steps = settings.epochs * this.#perEpoch;
    this.#rate = optimizer.learningRate;
    this.#between = slicer(options.signal);
    this.#progress = new Progress(options.onProgress, settings, this.#perEpoch);
    this.#stopping = settings.stopping && new EarlyStopping(settings.stopping);
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
        const bestEpoch = this.#stopping ? { bestEpoch: this.#stopping.restoreBest(this.#parameters) } : {};
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
    this.#stopping?.dispose();
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
      this.#progress.tell(this.#step, epoch, record);
      if (ends && this.#stopping?.ends) return true;
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
    this.#progress.took(Math.min(batchSize, rows - first));
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
    this.#stopping?.look(this.#history.length, record, this.#parameters);
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

  #canRecover(): boolean {
    const kept = this.#snapshot ?? this.#copy;
    return this.#options.recover !== false && kept !== null && canMove(...Object.values(this.#examples));
  }

  /** Copies to the host what a lost device would take along; not more often than its cost allows. */
  async #keep(totals: Values = new Float32Array(3)): Promise<void> {
    const { weight, bias } = this.#head;
    const began = performance.now();
    if (weight.context.backend === 'cpu' || this.#options.recover === false || began < this.#nextSnapshot) return;
    const step = this.#step;
    const [kept, keptBias, states, stopping] = await Promise.all([
      weight.data(),
      bias?.data() ?? null,
      this.#optimizer.state(this.#parameters),
      this.#stopping?.state() ?? unstopped,
    ]);
    this.#snapshot = { step, history: [...this.#history], weight: kept, bias: keptBias, states, totals, stopping };
    const now = performance.now();
    this.#nextSnapshot = now + snapshotShare * (now - began);
  }

  /**
   * From before the first snapshot, when nothing but a warm start was done, which is done again.
   * @throws DeviceLostError where the optimizer's state of a training before was lost too
   */
  async #beginning(): Promise<Snapshot> {
    const states = await this.#optimizer.state(this.#parameters);
    return { ...this.#copy!, step: 0, history: [], states, totals: new Float32Array(3), stopping: unstopped };
  }

  async #recover(error: DeviceLostError): Promise<void> {
    const snapshot = this.#snapshot ?? (await this.#beginning());
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
    this.#stopping?.restore(snapshot.stopping, context, this.#parameters);
    this.#history = [...snapshot.history];
    this.#step = snapshot.step;
    const said = `${error.message} The training goes on from step ${snapshot.step}. ${context.reason}`;
    this.#progress.tell(snapshot.step, 0, this.#recordOf(snapshot.totals as Float32Array), said);
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
