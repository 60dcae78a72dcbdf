// The last layer of a classifier: a weight, a bias and the names of the classes, as a thing that answers.

import type { HostOperand, Values } from '../backend.js';
import type { Context } from '../context.js';
import { CrossheadError, DisposedError } from '../errors.js';
import type { NumberArray } from '../numbers.js';
import type { Optimizer } from '../operations/optimizer.js';
import { Tensor } from '../tensor.js';
import { choice, count, flag, knownOptions, number, positive } from '../validate.js';
import { type Activation, activations } from './activation.js';
import { bestOf, countOf } from './best.js';
import type { Calibration } from './calibrate.js';
import type { Evaluation } from './evaluate.js';
import type { ExampleTargets, Features } from './examples.js';
import type { FitOptions, History } from './fit-options.js';
import { biasInput, expectContext, featureInput, type Input, weightInput } from './inputs.js';
import { type ClassName, keptClasses, labelsOf } from './labels.js';
import type { LoadOptions } from './load.js';
import { generator } from './random.js';
import type { Source } from './read-bytes.js';
import type { HostWeights, Move, Recovery } from './recovery.js';
import { type Rejection, rejectionOf } from './rejection.js';

/** What a head is made of. D is the length of a feature vector, C the number of classes. */
export interface HeadWeights {
  /** [C, D], float32 or float16. A tensor stays the caller's; numbers are copied. */
  weight: Tensor | readonly (readonly number[])[];
  /** [C]. A tensor stays the caller's; numbers are copied. */
  bias?: Tensor | NumberArray | readonly number[];
  /** One a class; "0", "1", ... if left out. */
  labels?: readonly string[];
  /** 'softmax' (default): one class of all. 'sigmoid': each class on its own (multi-label). */
  activation?: Activation;
  /**
   * Whether the head goes on when its device is lost: on another of the same kind, or on the CPU, with the weights it had. It keeps a copy of
   * them on the host, read back after each training. `head.context` is then another, which is the caller's to dispose of. What is given as
   * tensors is lost with the device: such a call rejects with DeviceLostError, and the next finds the head elsewhere. So does a call after
   * weights were written whose copy was not read yet, or whose buffer is the caller's: an answer is never of older weights. False by default.
   */
  recover?: boolean;
}

/** A head that is to be made. */
export interface NewHead {
  /** D, the length of a feature vector. */
  features: number;
  /** C, in place of labels, which are then "0", "1", ... */
  classes?: number;
  /** One a class, in place of `classes`. */
  labels?: readonly string[];
  /** 'softmax' (default): one class of all. 'sigmoid': each class on its own (multi-label). */
  activation?: Activation;
  /** Of the weights; 0 by default. */
  seed?: number;
  /** Whether it goes on when its device is lost, as for `fromWeights`; false by default. */
  recover?: boolean;
}

/** Which answers `predict` is to give. */
export interface PredictOptions {
  /** The most answers a row, from 1 to C; 5 (or C, where that is less) if left out. */
  topK?: number;
  /** Only scores of at least this are answered. */
  threshold?: number;
  /** Divides the logits; `head.temperature` if left out. */
  temperature?: number;
  /** Only these classes are answered, by label or index. Scores stay as they are. */
  allow?: readonly ClassName[];
  /** These classes are not answered, by label or index, even where allowed. */
  deny?: readonly ClassName[];
  /**
   * A row whose best score is below it is of none of the classes, and gets an empty list: a probability, or what `fitRejection` gave.
   * `head.rejection` if left out; null for none.
   */
  rejectBelow?: number | Rejection | null;
}

/** One answer: a class and its score, which is its probability. */
export interface Prediction {
  /** The name of the class. */
  readonly label: string;
  /** The class, from 0. */
  readonly index: number;
  /** From 0 to 1: the softmax or sigmoid of its logit over the temperature. */
  readonly score: number;
}

/** What a head is made of once it is checked. */
interface Parts<Operand> {
  readonly weight: Operand;
  readonly bias: Operand | null;
  readonly labels: readonly string[];
  readonly activation: Activation;
  readonly temperature: number;
  readonly rejection: Rejection | null;
  readonly recover?: boolean;
}

/**
 * A head of C classes over feature vectors of length D. Made by `create`, `fromWeights` or `load`.
 * @example
 * const head = await ClassificationHead.load(context, 'model.safetensors', { config: 'config.json' })
 * const [answers] = await head.predict(features, { topK: 3 }) // [{ label: 'cat', index: 0, score: 0.9 }, ...]
 */
export class ClassificationHead {
  /** One a class. */
  readonly labels: readonly string[];
  /** How logits become scores: 'softmax' or 'sigmoid'. */
  readonly activation: Activation;
  /** Divides the logits before the activation; 1 unless the head was calibrated. */
  temperature: number;
  /** When a row is of none of the classes, as `predict` has it; null unless it was fitted. */
  rejection: Rejection | null;
  #weight: Tensor;
  #bias: Tensor | null;
  #owned: readonly Tensor[];
  #disposed = false;
  #fitting = false;
  readonly #move: Move = (context, weight, bias) => {
    for (const tensor of this.#owned) tensor.dispose();
    const { shape, dtype } = this.#weight;
    const biasType = this.#bias?.dtype;
    this.#weight = context.tensor(weight, shape, { dtype });
    this.#bias = bias && context.tensor(bias, undefined, { dtype: biasType });
    this.#owned = this.#bias ? [this.#weight, this.#bias] : [this.#weight];
  };
  /** With `recover`: copies of numbers that the head was made of, if it was made of numbers, until its recovery takes them. */
  #made: HostWeights | null;
  readonly #recovers: boolean;
  #recovery: Promise<Recovery> | null = null;

  private constructor(parts: Parts<Tensor>, owned: readonly Tensor[], given: Parts<Input>) {
    this.#weight = parts.weight;
    this.#bias = parts.bias;
    this.labels = parts.labels;
    this.activation = parts.activation;
    this.temperature = parts.temperature;
    this.rejection = parts.rejection;
    this.#owned = owned;
    this.#recovers = parts.recover === true;
    this.#made = this.#recovers ? copyOf(given) : null;
  }

  /** [C, D]. Another tensor once the head went on elsewhere. */
  get weight(): Tensor {
    return this.#weight;
  }

  /** [C], or null. */
  get bias(): Tensor | null {
    return this.#bias;
  }

  /** Where the head is: another context after a device was lost, in a training or with `recover`. */
  get context(): Context {
    return this.#weight.context;
  }

  /**
   * A head that knows nothing yet: weight and bias uniform from -1 / sqrt(D) to 1 / sqrt(D), as torch.nn.Linear begins, and the same for
   * the same seed on every backend.
   * @throws RangeError for a number out of range; TypeError for a wrong kind of thing, or where neither classes nor labels are given
   */
  static create(context: Context, options: NewHead): ClassificationHead {
    const fn = 'ClassificationHead.create';
    expectContext(fn, context);
    knownOptions(fn, options, ['features', 'classes', 'labels', 'activation', 'seed', 'recover']);
    const recover = flag(fn, 'recover', options?.recover);
    const depth = count(fn, 'features', options?.features, null);
    const named = Array.isArray(options.labels) ? options.labels.length : undefined;
    const classes = count(fn, 'classes', options.classes ?? named, null);
    const labels = labelsOf(fn, options.labels, classes);
    const activation = choice(fn, 'activation', options.activation, activations, 'softmax');
    const random = generator(number(fn, 'seed', options.seed, 0, 'an integer', Number.isSafeInteger));
    const bound = 1 / Math.sqrt(depth);
    const uniform = (shape: number[], length: number): HostOperand => ({
      dtype: 'float32',
      shape,
      values: Float32Array.from({ length }, () => bound * (2 * random() - 1)),
    });
    const weight = uniform([classes, depth], classes * depth);
    const bias = uniform([classes], classes);
    const parts = { weight, bias, labels, activation, temperature: 1, rejection: null, recover };
    return ClassificationHead.#place(context, parts);
  }

  /**
   * A head of given weights.
   * @throws ShapeError where weight, bias and labels do not fit each other; TypeError for a wrong kind of thing, or a tensor of
   * another context; DisposedError for a tensor that was disposed of
   */
  static fromWeights(context: Context, given: HeadWeights): ClassificationHead {
    const fn = 'ClassificationHead.fromWeights';
    expectContext(fn, context);
    knownOptions(fn, given, ['weight', 'bias', 'labels', 'activation', 'recover']);
    const recover = flag(fn, 'recover', given?.recover);
    const weight = weightInput(fn, context, given?.weight);
    const classes = weight.shape[0];
    const bias = biasInput(fn, context, given.bias, classes);
    const labels = labelsOf(fn, given.labels, classes);
    const activation = choice(fn, 'activation', given.activation, activations, 'softmax');
    const parts = { weight, bias, labels, activation, temperature: 1, rejection: null, recover };
    return ClassificationHead.#place(context, parts);
  }

  /**
   * A head from a safetensors file, of F32, F16 or BF16 weights. F16 stays float16 on the device; BF16 becomes float32.
   * Labels and activation come from `config`, else from the metadata of a file that a head saved, else "0", "1", ... and softmax.
   * @param source the file, or its URL
   * @returns a promise; it rejects with WeightsFormatError for a file or config that is not sound or does not fit,
   * CrossheadError where a URL cannot be fetched, and `signal.reason` after an abort
   */
  static async load(context: Context, source: Source, options: LoadOptions = {}): Promise<ClassificationHead> {
    const fn = 'ClassificationHead.load';
    expectContext(fn, context);
    const { loadHead } = await import('./load.js');
    const { parts, restore } = await loadHead(fn, source, options);
    const head = ClassificationHead.#place(context, { ...parts, recover: options.recover === true });
    try {
      restore(head);
      return head;
    } catch (error) {
      head.dispose();
      throw error;
    }
  }

  /**
   * The best classes of each row of features, best first; of equal scores the lower index comes first.
   * A row has fewer than `topK` answers where `threshold`, `allow` and `deny` leave fewer. A softmax row whose logits hold NaN or
   * +Infinity has scores of NaN, which no threshold lets through.
   * @param features [N, D] or [D]: a tensor, numbers, or one array of several rows, one after the other
   * @returns one list a row; `topK` scores and indices a row are read back, not C
   * @throws (rejects with) ShapeError for features that are not of length D, RangeError for a `topK`, `temperature` or class out
   * of range, TypeError for a wrong kind of thing, DisposedError after `dispose()`
   */
  async predict(features: Features, options: PredictOptions = {}): Promise<Prediction[][]> {
    const fn = 'predict';
    this.#alive(fn);
    const classes = this.labels.length;
    knownOptions(fn, options, ['topK', 'threshold', 'temperature', 'allow', 'deny', 'rejectBelow']);
    const k = countOf(fn, options.topK, classes);
    const { threshold } = options;
    number(fn, 'threshold', threshold, 0, 'a number', (value) => !Number.isNaN(value));
    const temperature = positive(
      fn,
      'temperature',
      options.temperature,
      positive(fn, 'temperature', this.temperature, 1),
    );
    const kept = keptClasses(fn, this.labels, options.allow, options.deny);
    const rejection = rejectionOf(
      fn,
      options.rejectBelow === undefined ? this.rejection : options.rejectBelow,
      this.activation,
    );
    const energy = rejection?.score === 'energy';
    const input = this.#lastingInput(featureInput(fn, this.weight, features));
    const predicted = async () => {
      const best = bestOf(this, input, { k, temperature, kept, energy });
      try {
        const reads = [best.values, best.indices, ...(best.energies ? [best.energies] : [])];
        const [scores, indices, energies] = await Promise.all(reads.map((tensor) => tensor.data()));
        const lists = answers(this.labels, scores, indices, k, threshold);
        if (!rejection) return lists;
        // A row without an answer may have an energy.
        const sure = (row: number) =>
          energies && !Number.isNaN(scores[row * k]) ? energies[row] * temperature : scores[row * k];
        return lists.map((list, row) => (sure(row) >= rejection.below ? list : []));
      } finally {
        best.values.dispose();
        best.indices.dispose();
        best.energies?.dispose();
      }
    };
    return this.#lasting(predicted, areOnHost(input));
  }

  /**
   * Trains weight and bias, in place, on mini-batches in a seeded order. The page stays responsive: on the CPU the work is cut into
   * slices of some milliseconds (a step is never cut), on a GPU three numbers are read back about ten times a second.
   *
   * Where the device is lost, the training goes on from a copy on the host that is some steps old, on a new device of the same kind, or
   * on the CPU; `head.context` is then another, which is the caller's to dispose of, and tensors that were given to `fromWeights` stay
   * as they were. Not so where features or targets were tensors, which are lost too.
   * @param features [N, D]: a tensor, or numbers, which are uploaded once
   * @param targets class indices [N] or labels (-100 is ignored); or a number a class [N, C]: soft labels, 0 or 1 for each class of a
   * sigmoid head, or a teacher's logits for 'distillation'
   * @throws (rejects with) `signal.reason` after an abort, DeviceLostError where it cannot go on, TypeError, RangeError or ShapeError
   * for what does not fit, before anything is trained
   * @example await head.fit(features, targets, { epochs: 10, optimizer: adamW({ learningRate: 0.01 }), onProgress: show, signal })
   */
  async fit(features: Features, targets: ExampleTargets, options: FitOptions = {}): Promise<History> {
    this.#alive('fit');
    if (this.#fitting) throw new CrossheadError('fit: the head is being trained already');
    this.#fitting = true;
    try {
      const { train } = await training();
      const recovery = this.#recovers ? await this.#recover() : null;
      const history = await train(this, this.#move, recovery?.copy ?? null, features, targets, options);
      await recovery?.keep();
      return history;
    } finally {
      this.#fitting = false;
    }
  }

  /**
   * What the head is worth on rows whose answers are known, at its temperature. Rows with the target -100 are left out; a row without
   * an answer (NaN) is wrong.
   * @param features [N, D], or a flat array that is cut into rows of D
   * @param targets as for `fit`; of a sigmoid head a number a class [N, C], each above 1/2 or not
   * @param options.topK how many of the best count for topKAccuracy; 5 (or C, where that is less) by default
   * @returns loss, accuracy, the confusion of classes and what else `Evaluation` lists; NaN where no row counts
   * @throws ShapeError, TypeError, RangeError (a target that is no class), DisposedError; DeviceLostError without `recover`
   */
  async evaluate(features: Features, targets: ExampleTargets, options: { topK?: number } = {}): Promise<Evaluation> {
    this.#alive('evaluate');
    const { evaluate } = await training();
    return this.#lasting(() => evaluate(this, features, targets, options), areOnHost(features, targets));
  }

  /**
   * Fits `head.temperature` to rows that the head was not trained on, by Newton's method on their mean loss (Guo and others 2017, On
   * Calibration of Modern Neural Networks). Answers do not change, scores do. It lies between 1/1000 and 1000, and stays where no
   * temperature is better than another, as for a softmax head of one class. Rows that no temperature helps are left out: ignored ones, and
   * those without a finite loss. Where all rows are right, which would make the head as sure as can be, a share of 1 / (rows + 2) of each is
   * taken for wrong (as Platt 1999 does). The logits are read back a chunk at a time, once where they are few, else for each look at the loss.
   * @param features [N, D], or a flat array that is cut into rows of D
   * @param targets class indices [N] or labels; of a sigmoid head a number a class [N, C]
   * @returns the temperature that was found, which the head then has, and the mean losses before and after
   * @throws RangeError where no row has a finite loss; TypeError for targets of the other activation; what `evaluate` throws
   */
  async calibrate(features: Features, targets: ExampleTargets): Promise<Calibration> {
    this.#alive('calibrate');
    const { calibrate } = await training();
    const found = await this.#lasting(() => calibrate(this, features, targets), areOnHost(features, targets));
    this.temperature = found.temperature;
    return found;
  }

  /**
   * Fits `head.rejection`, below which `predict` answers an empty list, "none of these": so that the share `keep` of these rows, which
   * are of the head's classes, stays. To be done after `calibrate`.
   * @param features [N, D], or a flat array that is cut into rows of D
   * @param options.keep from 0 to 1; 0.95 by default
   * @param options.score 'energy' by default (softmax heads only), or 'probability'
   * @returns the score and the threshold, which the head then has
   * @throws RangeError where no row has a score; TypeError for 'energy' of a sigmoid head; what `evaluate` throws
   */
  async fitRejection(
    features: Features,
    options: { keep?: number; score?: Rejection['score'] } = {},
  ): Promise<Rejection> {
    this.#alive('fitRejection');
    const { fitRejection } = await training();
    const found = await this.#lasting(() => fitRejection(this, features, options), areOnHost(features));
    this.rejection = found;
    return found;
  }

  /**
   * The head as a safetensors file that `load` reads back bit for bit: weight, bias, and in the metadata labels, activation, temperature
   * and rejection.
   * @param options.optimizer whose state is to lie beside them; `load(context, blob, { optimizer })` gives it to another
   * @throws TypeError for what is no optimizer, DisposedError; DeviceLostError without `recover`
   */
  async save(options: { optimizer?: Optimizer } = {}): Promise<Blob> {
    this.#alive('save');
    knownOptions('save', options, ['optimizer']);
    const { savedHead } = await import('./save.js');
    return this.#lasting(() => savedHead(this, options.optimizer), !options.optimizer);
  }

  /** Frees what the head made; tensors that the caller gave stay. Twice is once. */
  dispose(): void {
    this.#disposed = true;
    for (const tensor of this.#owned) tensor.dispose();
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #alive(fn: string): void {
    if (this.#disposed) throw new DisposedError(`${fn}: the head was disposed`);
  }

  /** Does the work, and with `recover` once more where a device is lost, unless what it takes is lost too. */
  async #lasting<T>(begin: () => Promise<T>, movable: boolean): Promise<T> {
    const from = this.context;
    const begun = begin();
    if (!this.#recovers) return begun;
    begun.catch(() => {}); // thrown below
    const recovery = await this.#recover();
    return recovery.lasting({ from, begun, begin, movable, busy: () => this.#fitting });
  }

  /** What sees to lost devices, in a file of its own for bundlers: few heads have it. */
  #recover(): Promise<Recovery> {
    this.#recovery ??= import('./recovery.js').then(({ Recovery }) => {
      const made = this.#made;
      this.#made = null;
      return new Recovery(this, this.#move, made);
    });
    return this.#recovery;
  }

  /** Numbers of the caller's may be others by the time they are needed again. */
  #lastingInput(input: Input): Input {
    return this.#recovers && !(input instanceof Tensor) ? { ...input, values: input.values.slice() } : input;
  }

  static #place(context: Context, parts: Parts<Input>): ClassificationHead {
    const owned: Tensor[] = [];
    const place = (input: Input): Tensor => {
      if (input instanceof Tensor) return input;
      const tensor = onDevice(context, input);
      owned.push(tensor);
      return tensor;
    };
    try {
      const { weight, bias } = parts;
      return new ClassificationHead({ ...parts, weight: place(weight), bias: bias && place(bias) }, owned, parts);
    } catch (error) {
      for (const tensor of owned) tensor.dispose();
      throw error;
    }
  }
}

const areOnHost = (...given: readonly unknown[]): boolean => !given.some((one) => one instanceof Tensor);

/** Copies of numbers that a head is made of, where they are all numbers. */
function copyOf({ weight, bias }: Parts<Input>): HostWeights | null {
  if (weight instanceof Tensor || bias instanceof Tensor) return null;
  return { weight: weight.values.slice(), bias: bias?.values.slice() ?? null };
}

/** What few pages need, in a file of its own for bundlers. */
const training = () => import('./training.js');

const onDevice = (context: Context, { values, shape, dtype }: HostOperand): Tensor =>
  context.tensor(values, shape, { dtype });

/** The lists of answers, from k scores and k classes a row. */
function answers(
  labels: readonly string[],
  scores: Values,
  indices: Values,
  k: number,
  threshold: number | undefined,
): Prediction[][] {
  const lists: Prediction[][] = [];
  for (let first = 0; first < scores.length; first += k) {
    const list: Prediction[] = [];
    for (let i = first; i < first + k; i++) {
      // A class that is not kept has -Infinity, which no activation gives.
      if (scores[i] === -Infinity || (threshold !== undefined && !(scores[i] >= threshold))) continue;
      list.push({ label: labels[indices[i]], index: indices[i], score: scores[i] });
    }
    lists.push(list);
  }
  return lists;
}
