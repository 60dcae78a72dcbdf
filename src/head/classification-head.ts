// The last layer of a classifier: a weight, a bias and the names of the classes, as a thing that answers.

import type { Values } from '../backend.js';
import { Context } from '../context.js';
import { DisposedError } from '../errors.js';
import { readSafetensors, type StoredTensor } from '../formats/safetensors.js';
import type { NumberArray } from '../numbers.js';
import { linear } from '../operations/linear.js';
import { maskClasses } from '../operations/mask-classes.js';
import { sigmoid } from '../operations/sigmoid.js';
import { softmax } from '../operations/softmax.js';
import { topK } from '../operations/top-k.js';
import type { Tensor } from '../tensor.js';
import { choice, knownOptions, number, positive, shown } from '../validate.js';
import { type Activation, activations, describeHead, readConfig } from './describe-head.js';
import { findWeights } from './find-weights.js';
import { type ClassName, keptClasses, labelsOf } from './labels.js';
import { type Operand, biasOperand, featureOperand, placed, weightOperand } from './operands.js';
import { type LoadProgress, readBytes, type Source } from './read-bytes.js';

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

interface Parts {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly labels: readonly string[];
  readonly activation: Activation;
  readonly temperature?: number;
  /** Disposed of with the head. */
  readonly owned: readonly Tensor[];
}

/** A head of C classes over feature vectors of length D. Made by `fromWeights` or `load`. */
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

  private constructor(parts: Parts) {
    this.weight = parts.weight;
    this.bias = parts.bias;
    this.labels = parts.labels;
    this.activation = parts.activation;
    this.temperature = parts.temperature ?? 1;
    this.#owned = parts.owned;
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
    const weight = weightOperand(fn, context, parts?.weight);
    const classes = weight.shape[0];
    const bias = biasOperand(fn, context, parts.bias, classes);
    const labels = labelsOf(fn, parts.labels, classes);
    const activation = choice(fn, 'activation', parts.activation, activations, 'softmax');
    return place(context, { weight, bias, labels, activation });
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
    expectLoadOptions(fn, options);
    const { weightName, biasName, onProgress, signal } = options;
    const config = await readConfig(fn, options.config, signal);
    const file = readSafetensors(await readBytes(fn, 'source', source, { onProgress, signal }));
    signal?.throwIfAborted();
    const { weight, bias } = findWeights(fn, file.tensors, weightName, biasName);
    const classes = weight.shape[0];
    const { labels, activation, temperature } = describeHead(fn, classes, config, file.metadata);
    return place(context, {
      weight: storedOperand(weight),
      bias: bias ? storedOperand(bias) : null,
      labels: labelsOf(fn, labels, classes),
      activation,
      temperature,
    });
  }

  /**
   * The best classes of each row of features, best first; of equal scores the lower index comes first.
   * A row has fewer than `topK` answers where `threshold`, `allow` and `deny` leave fewer. The scores of a row whose logits
   * hold NaN or +Infinity are NaN.
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
    const threshold = number(fn, 'threshold', options.threshold, -Infinity, 'a number', (value) => !Number.isNaN(value));
    const temperature = positive(fn, 'temperature', options.temperature ?? this.temperature, 1);
    const kept = keptClasses(fn, this.labels, options.allow, options.deny);
    const operand = featureOperand(fn, this.weight, features);
    const best = this.#best(operand, k, temperature, kept);
    try {
      const [scores, indices] = await Promise.all([best.values.data(), best.indices.data()]);
      return this.#answers(scores, indices, k, threshold);
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
