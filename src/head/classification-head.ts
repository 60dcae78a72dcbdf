// The last layer of a classifier: a weight, a bias and the names of the classes, as a thing that answers.

import type { HostOperand, Values } from '../backend.js';
import type { Context } from '../context.js';
import { DisposedError } from '../errors.js';
import { readSafetensors } from '../formats/safetensors.js';
import type { NumberArray } from '../numbers.js';
import { linear } from '../operations/linear.js';
import { maskClasses } from '../operations/mask-classes.js';
import { sigmoid } from '../operations/sigmoid.js';
import { softmax } from '../operations/softmax.js';
import { type TopKResult, topK } from '../operations/top-k.js';
import { Tensor } from '../tensor.js';
import { choice, knownOptions, number, positive, shown } from '../validate.js';
import { type Activation, activations, describeHead, readConfig } from './describe-head.js';
import { findWeights } from './find-weights.js';
import { biasInput, expectContext, featureInput, type Input, storedInput, weightInput } from './inputs.js';
import { type ClassName, keptClasses, labelsOf } from './labels.js';
import { expectSource, type LoadProgress, readBytes, type Source } from './read-bytes.js';

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
}

export interface LoadOptions {
  /** Hugging Face's config.json, for `id2label` and `problem_type`: the object, its JSON text, or where it lies. */
  config?: object | URL | string | Blob;
  /** The weight's name in the file, where it is none of the usual ones. */
  weightName?: string;
  /** The bias's name, where it is not the weight's with "bias" for "weight". */
  biasName?: string;
  /** Told of the bytes of the weights as they arrive. */
  onProgress?: (progress: LoadProgress) => void;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal;
}

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
}

/** One answer: a class and its score, which is its probability. */
export interface Prediction {
  readonly label: string;
  readonly index: number;
  readonly score: number;
}

/** What a head is made of once it is checked. */
interface Parts<Operand> {
  readonly weight: Operand;
  readonly bias: Operand | null;
  readonly labels: readonly string[];
  readonly activation: Activation;
  readonly temperature: number;
}

/**
 * A head of C classes over feature vectors of length D. Made by `fromWeights` or `load`.
 * @example
 * const head = await ClassificationHead.load(context, 'model.safetensors', { config: 'config.json' })
 * const [answers] = await head.predict(features, { topK: 3 }) // [{ label: 'cat', index: 0, score: 0.9 }, ...]
 */
export class ClassificationHead {
  /** [C, D] */
  readonly weight: Tensor;
  /** [C], or null */
  readonly bias: Tensor | null;
  /** One a class. */
  readonly labels: readonly string[];
  readonly activation: Activation;
  /** Divides the logits before the activation; 1 unless the head was calibrated. */
  temperature: number;
  readonly #owned: readonly Tensor[];
  #disposed = false;

  private constructor(parts: Parts<Tensor>, owned: readonly Tensor[]) {
    this.weight = parts.weight;
    this.bias = parts.bias;
    this.labels = parts.labels;
    this.activation = parts.activation;
    this.temperature = parts.temperature;
    this.#owned = owned;
  }

  /**
   * A head of given weights.
   * @throws ShapeError where weight, bias and labels do not fit each other; TypeError for a wrong kind of thing, or a tensor of
   * another context; DisposedError for a tensor that was disposed of
   */
  static fromWeights(context: Context, parts: HeadWeights): ClassificationHead {
    const fn = 'ClassificationHead.fromWeights';
    expectContext(fn, context);
    knownOptions(fn, parts, ['weight', 'bias', 'labels', 'activation']);
    const weight = weightInput(fn, context, parts?.weight);
    const classes = weight.shape[0];
    const bias = biasInput(fn, context, parts.bias, classes);
    const labels = labelsOf(fn, parts.labels, classes);
    const activation = choice(fn, 'activation', parts.activation, activations, 'softmax');
    return ClassificationHead.#place(context, { weight, bias, labels, activation, temperature: 1 });
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
    expectSource(fn, 'source', source);
    expectLoadOptions(fn, options);
    const { weightName, biasName, onProgress, signal } = options;
    const config = await readConfig(fn, options.config, signal);
    const file = readSafetensors(await readBytes(fn, source, { onProgress, signal }));
    signal?.throwIfAborted();
    const { weight, bias } = findWeights(fn, file.tensors, weightName, biasName);
    const classes = weight.shape[0];
    const { labels, activation, temperature } = describeHead(fn, classes, config, file.metadata);
    return ClassificationHead.#place(context, {
      weight: storedInput(weight),
      bias: bias ? storedInput(bias) : null,
      labels: labelsOf(fn, labels, classes),
      activation,
      temperature,
    });
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
  async predict(
    features: Tensor | NumberArray | readonly number[] | readonly (readonly number[])[],
    options: PredictOptions = {},
  ): Promise<Prediction[][]> {
    const fn = 'predict';
    if (this.#disposed) throw new DisposedError(`${fn}: the head was disposed`);
    const classes = this.labels.length;
    knownOptions(fn, options, ['topK', 'threshold', 'temperature', 'allow', 'deny']);
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
    const best = this.#best(featureInput(fn, this.weight, features), k, temperature, kept);
    try {
      const [scores, indices] = await Promise.all([best.values.data(), best.indices.data()]);
      return answers(this.labels, scores, indices, k, threshold);
    } finally {
      best.values.dispose();
      best.indices.dispose();
    }
  }

  /** Frees what the head made; tensors that the caller gave stay. Twice is once. */
  dispose(): void {
    this.#disposed = true;
    for (const tensor of this.#owned) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The k best scores of each row, queued on the device; what led to them is freed at once. */
  #best(features: Input, k: number, temperature: number, kept: Uint32Array | null): TopKResult {
    const made: Tensor[] = [];
    const scratch = (tensor: Tensor): Tensor => {
      made.push(tensor);
      return tensor;
    };
    try {
      const rows = features instanceof Tensor ? features : scratch(onDevice(this.weight.context, features));
      const logits = scratch(linear(rows, this.weight, this.bias ? { bias: this.bias } : {}));
      const activate = this.activation === 'sigmoid' ? sigmoid : softmax;
      const scores = scratch(activate(logits, { temperature }));
      return topK(kept ? scratch(maskClasses(scores, kept)) : scores, k);
    } finally {
      for (const tensor of made) tensor.dispose();
    }
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
      return new ClassificationHead({ ...parts, weight: place(weight), bias: bias && place(bias) }, owned);
    } catch (error) {
      for (const tensor of owned) tensor.dispose();
      throw error;
    }
  }
}

const onDevice = (context: Context, { values, shape, dtype }: HostOperand): Tensor =>
  context.tensor(values, shape, { dtype });

function expectLoadOptions(fn: string, options: LoadOptions): void {
  knownOptions(fn, options, ['config', 'weightName', 'biasName', 'onProgress', 'signal']);
  const { weightName, biasName, onProgress, signal } = options;
  const expect = (name: string, value: unknown, expected: string, holds: boolean): void => {
    if (value !== undefined && !holds) throw new TypeError(`${fn}: "${name}" must be ${expected}, got ${shown(value)}`);
  };
  expect('weightName', weightName, 'a string', typeof weightName === 'string');
  expect('biasName', biasName, 'a string', typeof biasName === 'string');
  expect('onProgress', onProgress, 'a function', typeof onProgress === 'function');
  expect('signal', signal, 'an AbortSignal', signal instanceof AbortSignal);
}

function countOf(fn: string, topK: unknown, classes: number): number {
  const fits = (value: number) => Number.isInteger(value) && value >= 1 && value <= classes;
  return number(fn, 'topK', topK, Math.min(5, classes), `an integer from 1 to ${classes}, the number of classes`, fits);
}

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
