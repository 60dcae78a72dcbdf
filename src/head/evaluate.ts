// What a head is worth on rows whose answers are known.

import type { Values } from '../backend.js';
import { crossEntropy } from '../operations/cross-entropy.js';
import { topK } from '../operations/top-k.js';
import type { Tensor } from '../tensor.js';
import { knownOptions } from '../validate.js';
import { countOf } from './best.js';
import { examplesOf, type HeadParts, inChunks, Resident } from './examples.js';
import { logitsOf, scoresOf } from './logits.js';
import { scoped, slicer } from './scope.js';

/** How one class fares. What is divided by 0 is 0. */
export interface ClassReport {
  /** The name of the class. */
  readonly label: string;
  /** Of the rows that were answered with the class, the share that is of it. */
  readonly precision: number;
  /** Of the rows of the class, the share that was answered with it. */
  readonly recall: number;
  /** The harmonic mean of both. */
  readonly f1: number;
  /** Rows of the class. */
  readonly support: number;
}

/** Answers whose score lies in a range. */
export interface CalibrationBin {
  /** The least score of the bin, not in it. */
  readonly from: number;
  /** The greatest score of the bin, in it. */
  readonly to: number;
  /** Answers in the bin; 0 where it is empty, whose shares are then 0. */
  readonly count: number;
  /** The share of right answers. */
  readonly accuracy: number;
  /** The mean of their scores. */
  readonly confidence: number;
}

/** What a head is worth on rows whose answers are known. NaN where no row counts. */
export interface Evaluation {
  /** Mean cross-entropy at the head's temperature; of sigmoid heads with a number a class, binary cross-entropy. */
  readonly loss: number;
  /** The share of right answers; with a number a class, of all classes' answers, each at 1/2. */
  readonly accuracy: number;
  /** The share of rows with a right class among the best. */
  readonly topKAccuracy: number;
  /**
   * Rows by class and answer: confusion[true][predicted]. With a number a class a row counts for each pair of its classes and answers. Made
   * when it is first asked for, and with more than 8192 classes not at all: a RangeError says so.
   */
  readonly confusion: number[][];
  /** The rows of one cell of it. */
  readonly samples: (actual: number, predicted: number) => number[];
  /** One a class, in the order of the labels. */
  readonly perClass: ClassReport[];
  /**
   * How far scores are from shares of right answers, over 15 bins (Guo and others 2017, On Calibration of Modern Neural Networks). With a
   * number a class, each class is answered, and the answer's score is that of the class, or 1 less it where it is answered with no.
   */
  readonly expectedCalibrationError: number;
  /** The bins of scores behind it, lowest first. */
  readonly bins: CalibrationBin[];
}

const binCount = 15;
/** Numbers of a confusion matrix at most: half a gigabyte. */
const mostCells = 2 ** 26;

/** What is counted, row by row. */
class Count {
  readonly #classes: number;
  readonly #actual: number[][] = [];
  readonly #predicted: number[][] = [];
  readonly #bins = Array.from({ length: binCount }, () => ({ count: 0, right: 0, scores: 0 }));
  loss = 0;
  right = 0;
  answers = 0;
  near = 0;
  rows = 0;

  constructor(classes: number) {
    this.#classes = classes;
  }

  row(row: number, actual: number[], predicted: number[], near: boolean): void {
    this.#actual[row] = actual;
    this.#predicted[row] = predicted;
    if (near) this.near++;
    this.rows++;
  }

  answer(score: number, right: boolean): void {
    this.answers++;
    if (right) this.right++;
    const at = Math.min(binCount - 1, Math.max(0, Math.ceil(score * binCount) - 1));
    if (Number.isNaN(at)) return;
    const bin = this.#bins[at];
    bin.count++;
    bin.scores += score;
    if (right) bin.right++;
  }

  report(labels: readonly string[]): Evaluation {
    const classes = this.#classes;
    let confusion: number[][] | null = null;
    const [support, answered, hits] = [0, 1, 2].map(() => new Array<number>(classes).fill(0));
    this.#actual.forEach((actual, row) => {
      for (const c of actual) support[c]++;
      for (const p of this.#predicted[row]) {
        answered[p]++;
        if (actual.includes(p)) hits[p]++;
      }
    });
    const confusionOf = () => {
      if (classes ** 2 > mostCells)
        throw new RangeError(`evaluate: "confusion" of ${classes} classes is too large; "samples" gives a cell`);
      const cells = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
      this.#actual.forEach((actual, row) => {
        for (const c of actual) for (const p of this.#predicted[row]) cells[c][p]++;
      });
      return cells;
    };
    const share = (part: number, of: number) => (of ? part / of : 0);
    const bins = this.#bins.map(({ count, right, scores }, i) => ({
      from: i / binCount,
      to: (i + 1) / binCount,
      count,
      accuracy: share(right, count),
      confidence: share(scores, count),
    }));
    const scored = bins.reduce((sum, { count }) => sum + count, 0);
    return {
      loss: this.loss / this.rows,
      accuracy: this.right / this.answers,
      topKAccuracy: this.near / this.rows,
      get confusion() {
        confusion ??= confusionOf();
        return confusion;
      },
      samples: (c, p) =>
        [...this.#actual.keys()].filter((row) => this.#actual[row]?.includes(c) && this.#predicted[row].includes(p)),
      perClass: labels.map((label, c) => {
        const [precision, recall] = [share(hits[c], answered[c]), share(hits[c], support[c])];
        return { label, precision, recall, f1: share(2 * precision * recall, precision + recall), support: support[c] };
      }),
      expectedCalibrationError:
        bins.reduce((sum, bin) => sum + bin.count * Math.abs(bin.accuracy - bin.confidence), 0) / scored,
      bins,
    };
  }
}

/** @param options.topK how many of the best count for topKAccuracy */
export async function evaluate(
  head: HeadParts,
  features: unknown,
  targets: unknown,
  options: { topK?: number },
): Promise<Evaluation> {
  const fn = 'evaluate';
  knownOptions(fn, options, ['topK']);
  const k = countOf(fn, options.topK, head.labels.length);
  const examples = examplesOf(fn, head, features, targets);
  const counted = new Count(head.labels.length);
  const resident = new Resident(head.weight.context, examples);
  const each = examples.soft && head.activation === 'sigmoid';
  const look = each ? lookAtEach : lookAtBest;
  try {
    const work = (batch: { features: Tensor; targets: Tensor | null }, first: number) =>
      look(head, batch.features, batch.targets!, k, first, counted);
    await inChunks(head, resident, work, slicer());
  } finally {
    resident.dispose();
  }
  return counted.report(head.labels);
}

/** One class of all is right: k answers a row are read back. */
function lookAtBest(head: HeadParts, features: Tensor, targets: Tensor, k: number, first: number, counted: Count) {
  const { temperature } = head;
  const soft = targets.shape.length === 2;
  return scoped(async (keep) => {
    const logits = keep(logitsOf(head, features));
    const best = topK(keep(scoresOf(head, logits)), k);
    const wanted = soft ? keep(topK1(keep, targets)) : targets;
    const { loss } = crossEntropy(logits, targets, { reduction: 'none', temperature });
    const reads = [keep(best.values), keep(best.indices), wanted, keep(loss)].map((tensor) => tensor.data());
    const [scores, indices, classes, losses] = await Promise.all(reads);
    classes.forEach((actual: number, row: number) => {
      if (!soft && actual === -100) return; // ignored, as in crossEntropy
      const [score, answer] = [scores[row * k], indices[row * k]];
      const near = indices.subarray(row * k, (row + 1) * k).includes(actual) && !Number.isNaN(score);
      counted.loss += losses[row];
      counted.answer(score, answer === actual && !Number.isNaN(score));
      counted.row(first + row, [actual], Number.isNaN(score) ? [] : [answer], near);
    });
  });
}

function topK1(keep: <T extends Tensor>(tensor: T) => T, targets: Tensor): Tensor {
  const { values, indices } = topK(targets, 1);
  keep(values);
  return indices;
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Each class is right or wrong on its own: all scores are read back. */
function lookAtEach(head: HeadParts, features: Tensor, targets: Tensor, k: number, first: number, counted: Count) {
  const { temperature } = head;
  const classes = head.labels.length;
  return scoped(async (keep) => {
    const logits = keep(logitsOf(head, features));
    const tensors = [keep(scoresOf(head, logits)), targets, logits];
    const [scores, labels, values] = await Promise.all(tensors.map((tensor) => tensor.data()));
    for (let row = 0; row < features.shape[0]; row++) {
      const of = (values: Values) => values.subarray(row * classes, (row + 1) * classes);
      const [own, wanted] = [of(scores), of(labels)];
      const all = Array.from(own, (_, c) => c);
      const actual = all.filter((c) => wanted[c] > 0.5);
      for (const c of all)
        counted.answer(Math.max(own[c], 1 - own[c]), own[c] > 0.5 === wanted[c] > 0.5 && !Number.isNaN(own[c]));
      const best = all.sort((a, b) => own[b] - own[a] || a - b).slice(0, k);
      const predicted = all.filter((c) => own[c] > 0.5).sort((a, b) => a - b);
      counted.row(
        first + row,
        actual,
        predicted,
        best.some((c) => wanted[c] > 0.5 && !Number.isNaN(own[c])),
      );
      for (const [c, value] of of(values).entries()) {
        const x = value / temperature;
        const [yes, no] = [wanted[c], 1 - wanted[c]]; // of which a 0 adds nothing, also at an infinite logit
        counted.loss += ((yes && yes * softplus(-x)) + (no && no * softplus(x))) / classes;
      }
    }
  });
}
