// A head's answers against float64, on both backends; and all that a head refuses.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Context, createContext } from '../src/context.ts';
import { CrossheadError, DisposedError, ShapeError, WeightsFormatError } from '../src/errors.ts';
import { roundToHalf, toHalfBits } from '../src/float16.ts';
import { type TensorToStore, writeSafetensors } from '../src/formats/safetensors.ts';
import { ClassificationHead, type LoadOptions, type Prediction } from '../src/head/classification-head.ts';
import { normal } from './support/random.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

interface Expectation {
  weight: readonly (readonly number[])[];
  bias?: readonly number[];
  labels?: readonly string[];
  activation?: 'softmax' | 'sigmoid';
  temperature?: number;
  topK?: number;
  threshold?: number;
  allowed?: (index: number) => boolean;
}

/** What `predict` must answer for one row, in float64. */
function answersOf(features: readonly number[], head: Expectation): Prediction[] {
  const { weight, bias, temperature = 1, threshold = -infinity, allowed = () => true } = head;
  const logits = weight.map((row, c) => row.reduce((sum, w, d) => sum + w * features[d], bias?.[c] ?? 0) / temperature);
  const scores = head.activation === 'sigmoid' ? logits.map((x) => 1 / (1 + Math.exp(-x))) : softmaxOf(logits);
  const key = (score: number) => (Number.isNaN(score) ? infinity : score);
  return scores
    .map((score, index) => ({ label: head.labels?.[index] ?? String(index), index, score }))
    .filter(({ index }) => allowed(index))
    .sort((a, b) => (key(a.score) === key(b.score) ? a.index - b.index : key(b.score) - key(a.score)))
    .slice(0, head.topK ?? 5)
    .filter(({ score }) => threshold === -infinity || score >= threshold);
}

function softmaxOf(logits: number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The same classes in the same order, the scores to a few units of float32 (or what else is allowed). */
function expectAnswers(actual: Prediction[][], expected: Prediction[][], tolerance = 2e-6): void {
  const classes = (lists: Prediction[][]) => lists.map((list) => list.map(({ label, index }) => [label, index]));
  expect(classes(actual)).toEqual(classes(expected));
  actual.forEach((list, row) => {
    list.forEach(({ score }, i) => {
      const wanted = expected[row][i].score;
      const close = Number.isNaN(wanted) ? Number.isNaN(score) : Math.abs(score - wanted) <= tolerance * wanted;
      expect(close, `row ${row}, answer ${i}: ${score} for ${wanted}`).toBe(true);
    });
  });
}

/** Float32 numbers as rows. */
function matrix(rows: number, columns: number, seed: number): number[][] {
  const flat = [...normal(rows * columns, { seed })];
  return Array.from({ length: rows }, (_, row) => flat.slice(row * columns, (row + 1) * columns));
}

const animals = ['cat', 'dog', 'emu', 'fox'];
const identity = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error) => error,
  );
}

const tensor = (name: string, values: number[][] | number[]): TensorToStore => {
  const flat = values.flat();
  const shape = Array.isArray(values[0]) ? [values.length, values[0].length] : [values.length];
  return { name, shape, values: Float32Array.from(flat) };
};

/** A safetensors file of float32 tensors. */
const fileOf = (tensors: TensorToStore[], metadata?: Record<string, string>): ArrayBuffer =>
  writeSafetensors(tensors, metadata).buffer;

/** A file of one 16-bit matrix. */
function halfFile(dtype: 'F16' | 'BF16', values: number[][]): ArrayBuffer {
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  const brain = (value: number) => {
    float[0] = value;
    return word[0] >>> 16;
  };
  const halves = Uint16Array.from(values.flat(), dtype === 'F16' ? toHalfBits : brain);
  const entry = { dtype, shape: [values.length, values[0].length], data_offsets: [0, halves.byteLength] };
  const header = new TextEncoder().encode(JSON.stringify({ 'classifier.weight': entry }));
  const bytes = new Uint8Array(8 + header.length + halves.byteLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(new Uint8Array(halves.buffer), 8 + header.length);
  return bytes.buffer;
}

const animalFile = fileOf([tensor('classifier.weight', identity), tensor('classifier.bias', [0, 0, 0, 1])]);

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  /** Nothing is left on the device but what was there. */
  afterEach(() => expect(context.memory().tensors).toBe(0));

  describe('predict', () => {
    // 37 features and 11 classes fill no group of lanes; 1000 classes take several workgroups' worth of work.
    test.each([
      [3, 37, 11],
      [2, 64, 1000],
      [17, 5, 2],
    ])('%i rows of %i features, %i classes', async (rows, depth, classes) => {
      const [weight, features] = [matrix(classes, depth, 1), matrix(rows, depth, 2)];
      const bias = [...normal(classes, { seed: 3 })];
      using head = ClassificationHead.fromWeights(context, { weight, bias });
      const expected = features.map((row) => answersOf(row, { weight, bias }));
      const actual = await head.predict(features);
      expect(actual.map((list) => list.length)).toEqual(features.map(() => Math.min(5, classes)));
      expectAnswers(actual, expected, 2e-5);
    });

    test('every way to give features', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity, labels: animals });
      const rows = [
        [1, 2, 3, 4],
        [4, 3, 2, 1],
      ];
      const expected = rows.map((row) => answersOf(row, { weight: identity, labels: animals }));
      using both = context.tensor(rows);
      using one = context.tensor(rows[0]);
      expectAnswers(await head.predict(rows), expected);
      expectAnswers(await head.predict(rows.flat()), expected);
      expectAnswers(await head.predict(Float32Array.from(rows.flat())), expected);
      expectAnswers(await head.predict(both), expected);
      expectAnswers(await head.predict(one), [expected[0]]);
      expectAnswers(await head.predict(rows[1]), [expected[1]]);
      expectAnswers(await head.predict(new Float64Array(rows[1])), [expected[1]]);
    });

    test('no rows', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity });
      using none = context.tensor(new Float32Array(0), [0, 4]);
      expect(await head.predict([])).toEqual([]);
      expect(await head.predict(none)).toEqual([]);
    });

    test('features that change after the call do not change the answer', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity });
      const features = Float32Array.of(0, 5, 0, 0);
      const answer = head.predict(features, { topK: 1 });
      features.set([9, 0, 0, 0]);
      expect((await answer)[0][0].index).toBe(1);
    });

    test('ties go to the lower index', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity });
      const [answers] = await head.predict([1, 3, 1, 3], { topK: 4 });
      expect(answers.map(({ index }) => index)).toEqual([1, 3, 0, 2]);
      expect(answers[0].score).toBe(answers[1].score);
    });

    test('NaN in one row stays in that row', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity });
      const rows = [
        [1, 2, 3, 4],
        [nan, 0, 0, 0],
        [4, 3, 2, 1],
      ];
      expectAnswers(
        await head.predict(rows, { topK: 2 }),
        [0, 1, 2].map((row) => answersOf(rows[row], { weight: identity, topK: 2 })),
      );
      expect((await head.predict(rows, { threshold: 0 }))[1]).toEqual([]);
    });

    test('a class whose bias is -Infinity has the score 0', async () => {
      const bias = [0, -infinity, 0, 0];
      using head = ClassificationHead.fromWeights(context, { weight: identity, bias });
      const features = [0, 50, 2, 1];
      const [answers] = await head.predict(features, { topK: 4 });
      expectAnswers([answers], [answersOf(features, { weight: identity, bias })]);
      expect(answers[3]).toEqual({ label: '1', index: 1, score: 0 });
    });

    test('a row whose classes are all masked is NaN', async () => {
      using head = ClassificationHead.fromWeights(context, {
        weight: identity,
        bias: new Float32Array(4).fill(-infinity),
      });
      const [answers] = await head.predict([1, 2, 3, 4]);
      expect(answers.map(({ score }) => score)).toEqual([nan, nan, nan, nan]);
    });

    test('one class', async () => {
      using head = ClassificationHead.fromWeights(context, {
        weight: [[2]],
        bias: [1],
        labels: ['it'],
      });
      expect(await head.predict([3])).toEqual([[{ label: 'it', index: 0, score: 1 }]]);
    });

    test('a threshold', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity });
      const features = [3, 1, 0, 2];
      const expected = [answersOf(features, { weight: identity, threshold: 0.2 })];
      expect(expected[0].length).toBe(2);
      expectAnswers(await head.predict(features, { threshold: 0.2 }), expected);
      expect(await head.predict(features, { threshold: 1.5 })).toEqual([[]]);
      const [{ score }] = (await head.predict(features))[0];
      expect((await head.predict(features, { threshold: score }))[0].length).toBe(1);
    });

    test.each(['softmax', 'sigmoid'] as const)(
      '%s with a temperature, of the call or of the head',
      async (activation) => {
        const [weight, features] = [matrix(7, 6, 4), matrix(3, 6, 5)];
        using head = ClassificationHead.fromWeights(context, { weight, activation });
        const at = (temperature: number) => features.map((row) => answersOf(row, { weight, activation, temperature }));
        expectAnswers(await head.predict(features), at(1), 1e-5);
        expectAnswers(await head.predict(features, { temperature: 2.5 }), at(2.5), 1e-5);
        head.temperature = 0.5;
        expectAnswers(await head.predict(features), at(0.5), 1e-5);
        expectAnswers(await head.predict(features, { temperature: 3 }), at(3), 1e-5);
      },
    );

    test('sigmoid scores each class on its own', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity, activation: 'sigmoid' });
      const [answers] = await head.predict([2, nan, -infinity, 1], { topK: 4 });
      // NaN * 0 and Infinity * 0 reach every logit of a dense layer, so this row is NaN throughout.
      expect(answers.every(({ score }) => Number.isNaN(score))).toBe(true);
      const features = [2, -200, 200, 1];
      expectAnswers(await head.predict(features, { threshold: 0.5 }), [
        answersOf(features, { weight: identity, activation: 'sigmoid', threshold: 0.5 }),
      ]);
    });

    test('float16 weights and features', async () => {
      const half = (rows: number[][]) => rows.map((row) => row.map(roundToHalf));
      const [weight, features] = [half(matrix(9, 33, 6)), half(matrix(4, 33, 7))];
      using halfWeight = context.tensor(weight, undefined, { dtype: 'float16' });
      using halfFeatures = context.tensor(features, undefined, { dtype: 'float16' });
      using head = ClassificationHead.fromWeights(context, { weight: halfWeight });
      const expected = features.map((row) => answersOf(row, { weight, topK: 3 }));
      expectAnswers(await head.predict(features, { topK: 3 }), expected, 2e-5);
      // Logits up to 16 are rounded to 2^-8 of each other, and the scores once more.
      expectAnswers(await head.predict(halfFeatures, { topK: 3 }), expected, 0.02);
    });

    test('allow and deny, by label and by index', async () => {
      const weight = matrix(8, 5, 8);
      const labels = ['a', 'b', 'c', 'd', 'e', 'f', 'b', 'h'];
      using head = ClassificationHead.fromWeights(context, { weight, labels });
      const features = matrix(3, 5, 9);
      const among = (...classes: number[]) =>
        features.map((row) => answersOf(row, { weight, labels, allowed: (index) => classes.includes(index) }));
      expectAnswers(await head.predict(features, { allow: ['b', 0] }), among(0, 1, 6));
      expectAnswers(await head.predict(features, { deny: [7, 'b'] }), among(0, 2, 3, 4, 5));
      expectAnswers(await head.predict(features, { allow: [1, 2, 'd'], deny: ['b'] }), among(2, 3));
      expectAnswers(await head.predict(features, { allow: [] }), [[], [], []]);
      expectAnswers(await head.predict(features, { deny: [] }), among(0, 1, 2, 3, 4, 5, 6, 7));
      expectAnswers(
        await head.predict(features, { allow: [2, 3, 4], topK: 2 }),
        among(2, 3, 4).map((list) => list.slice(0, 2)),
      );
    });

    test('a class that is not allowed stays away in a row of NaN', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity });
      const [answers] = await head.predict([nan, 0, 0, 0], { allow: [2], topK: 4 });
      expect(answers).toEqual([{ label: '2', index: 2, score: nan }]);
    });

    test('calls that overlap do not disturb each other', async () => {
      const weight = matrix(6, 4, 10);
      using head = ClassificationHead.fromWeights(context, { weight });
      const features = matrix(10, 4, 11);
      const answers = await Promise.all(features.map((row) => head.predict(row)));
      expectAnswers(
        answers.flat(),
        features.map((row) => answersOf(row, { weight })),
      );
    });

    test('a head that is disposed of while it answers', async () => {
      const head = ClassificationHead.fromWeights(context, { weight: identity });
      const answer = head.predict([0, 0, 3, 0], { topK: 1 });
      head.dispose();
      expect((await answer)[0][0].index).toBe(2);
    });
  });

  describe('predict refuses', () => {
    const refusals: [string, unknown, object, new (...args: never[]) => Error, string][] = [
      ['an unknown option', [1, 2, 3, 4], { topk: 3 }, TypeError, 'predict: unknown option "topk"; it takes topK,'],
      ['topK 0', [1, 2, 3, 4], { topK: 0 }, RangeError, 'predict: "topK" must be an integer from 1 to 4'],
      ['topK beyond the classes', [1, 2, 3, 4], { topK: 5 }, RangeError, 'the number of classes, got 5'],
      ['topK 1.5', [1, 2, 3, 4], { topK: 1.5 }, RangeError, 'got 1.5'],
      ['topK of the wrong kind', [1, 2, 3, 4], { topK: '3' }, TypeError, '"topK" must be an integer'],
      ['threshold NaN', [1, 2, 3, 4], { threshold: nan }, RangeError, '"threshold" must be a number, got NaN'],
      ['a threshold of the wrong kind', [1, 2, 3, 4], { threshold: null }, TypeError, 'got null'],
      ['temperature 0', [1, 2, 3, 4], { temperature: 0 }, RangeError, '"temperature" must be a positive finite number'],
      [
        'a label that is not there',
        [1, 2, 3, 4],
        { allow: ['cat', 'cow'] },
        RangeError,
        '"allow" must hold labels of the head, got "cow"',
      ],
      ['a label of every object', [1, 2, 3, 4], { deny: ['constructor'] }, RangeError, 'got "constructor"'],
      [
        'an index out of range',
        [1, 2, 3, 4],
        { deny: [4] },
        RangeError,
        '"deny" must hold class indices from 0 to 3, got 4',
      ],
      ['an index that is no integer', [1, 2, 3, 4], { deny: [0.5] }, RangeError, 'got 0.5'],
      [
        'neither label nor index',
        [1, 2, 3, 4],
        { allow: [null] },
        TypeError,
        '"allow" must hold labels or class indices',
      ],
      ['allow that is no list', [1, 2, 3, 4], { allow: 'cat' }, TypeError, '"allow" must be an array'],
      ['too few features', [1, 2, 3], {}, ShapeError, '"features" must have shape [rows, 4] or [4]'],
      ['rows of the wrong length', [[1, 2, 3, 4, 5]], {}, ShapeError, 'got [1, 5]'],
      ['ragged rows', [[1, 2, 3, 4], [1]], {}, ShapeError, 'ragged'],
      ['a single number', 3, {}, ShapeError, 'got []'],
      ['three axes', [[[1, 2, 3, 4]]], {}, ShapeError, 'got [1, 1, 4]'],
      ['features of the wrong kind', 'abcd', {}, TypeError, '"features" must be'],
      ['features that are no numbers', ['a', 'b', 'c', 'd'], {}, TypeError, '"features" must hold numbers'],
    ];
    test.each(refusals)('%s', async (_, features, options, kind, message) => {
      using head = ClassificationHead.fromWeights(context, { weight: identity, labels: animals });
      const error = await errorOf(head.predict(features as number[], options));
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toContain(message);
      expect(context.memory().tensors).toBe(1);
    });

    test('tensors of the wrong shape, dtype or context, or disposed of', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity });
      using short = context.tensor([[1, 2, 3]]);
      using whole = context.tensor(Int32Array.of(1, 2, 3, 4));
      using other = await createContext({ backend: 'cpu' });
      using foreign = other.tensor([1, 2, 3, 4]);
      const gone = context.tensor([1, 2, 3, 4]);
      gone.dispose();
      expect(await errorOf(head.predict(short))).toBeInstanceOf(ShapeError);
      expect(await errorOf(head.predict(whole))).toBeInstanceOf(TypeError);
      expect((await errorOf(head.predict(foreign))).message).toContain('another context');
      expect(await errorOf(head.predict(gone))).toBeInstanceOf(DisposedError);
    });

    test('a temperature of the head that is none', async () => {
      using head = ClassificationHead.fromWeights(context, { weight: identity });
      head.temperature = -1;
      expect((await errorOf(head.predict([1, 2, 3, 4]))).message).toContain('"temperature" must be a positive');
    });

    test('when the head was disposed of', async () => {
      const head = ClassificationHead.fromWeights(context, { weight: identity });
      head.dispose();
      head.dispose();
      const error = await errorOf(head.predict([1, 2, 3, 4]));
      expect(error).toBeInstanceOf(DisposedError);
      expect(error.message).toContain('disposed');
    });

    test('when a tensor of the caller was disposed of, leaving nothing behind', async () => {
      const weight = context.tensor(identity);
      using head = ClassificationHead.fromWeights(context, { weight });
      weight.dispose();
      expect(await errorOf(head.predict([1, 2, 3, 4]))).toBeInstanceOf(DisposedError);
      expect(context.memory().tensors).toBe(0);
    });
  });

  describe('fromWeights', () => {
    test('copies numbers, and leaves tensors to the caller', async () => {
      const numbers = identity.map((row) => [...row]);
      using bias = context.tensor([0, 0, 0, 7]);
      const head = ClassificationHead.fromWeights(context, { weight: numbers, bias });
      numbers[0][0] = 100;
      expect(head.bias).toBe(bias);
      expect(await head.weight.array()).toEqual(identity);
      head.dispose();
      expect(head.weight.disposed).toBe(true);
      expect(await bias.array()).toEqual([0, 0, 0, 7]);
    });

    test('says what it is', () => {
      const labels = [...animals];
      using head = ClassificationHead.fromWeights(context, { weight: identity, labels });
      labels[0] = 'cow';
      expect(head.labels).toEqual(animals);
      expect([head.weight.shape, head.bias, head.activation, head.temperature]).toEqual([[4, 4], null, 'softmax', 1]);
      using plain = ClassificationHead.fromWeights(context, { weight: [[1], [2]], activation: 'sigmoid' });
      expect([plain.labels, plain.activation]).toEqual([['0', '1'], 'sigmoid']);
    });

    const refusals: [string, object | undefined, new (...args: never[]) => Error, string][] = [
      ['nothing', undefined, TypeError, '"weight" must be'],
      ['an unknown option', { weight: identity, label: [] }, TypeError, 'unknown option "label"'],
      ['a flat weight', { weight: [1, 2] }, ShapeError, '"weight" must have shape [classes, features]'],
      ['no classes', { weight: [] }, ShapeError, 'got [0]'],
      ['no features', { weight: [[], []] }, ShapeError, 'got [2, 0]'],
      [
        'a bias that is too long',
        { weight: identity, bias: [1, 2, 3, 4, 5] },
        ShapeError,
        '"bias" must have shape [4]',
      ],
      ['too few labels', { weight: identity, labels: ['a'] }, ShapeError, 'each of the 4 classes, got 1'],
      [
        'labels that are no strings',
        { weight: [[1]], labels: [1] },
        TypeError,
        '"labels" must hold strings, labels[0] is 1',
      ],
      ['labels with a hole', { weight: [[1]], labels: new Array(1) }, TypeError, 'labels[0] is undefined'],
      ['labels that are no list', { weight: [[1]], labels: 'a' }, TypeError, '"labels" must be an array'],
      [
        'another activation',
        { weight: identity, activation: 'relu' },
        TypeError,
        '"activation" must be "softmax" or "sigmoid"',
      ],
    ];
    test.each(refusals)('refuses %s', (_, parts, kind, message) => {
      const make = () => ClassificationHead.fromWeights(context, parts as { weight: number[][] });
      expect(make).toThrow(kind);
      expect(make).toThrow(message);
      expect(make).toThrow('ClassificationHead.fromWeights: ');
    });

    test('refuses tensors that do not fit', async () => {
      using other = await createContext({ backend: 'cpu' });
      using foreign = other.tensor(identity);
      using whole = context.tensor(new Int32Array(16), [4, 4]);
      using bias = context.tensor([[1, 2, 3, 4]]);
      const from = (parts: object) => () => ClassificationHead.fromWeights(context, parts as { weight: number[][] });
      expect(from({ weight: foreign })).toThrow('another context');
      expect(from({ weight: whole })).toThrow(TypeError);
      expect(from({ weight: identity, bias })).toThrow(ShapeError);
      expect(() => ClassificationHead.fromWeights({} as Context, { weight: identity })).toThrow('must be a Context');
    });

    test('refuses a context that was disposed of', async () => {
      const gone = await createContext({ backend: 'cpu' });
      gone.dispose();
      expect(() => ClassificationHead.fromWeights(gone, { weight: identity })).toThrow(DisposedError);
    });
  });

  describe('load', () => {
    const weightOf = async (head: ClassificationHead) => head.weight.array();

    test('a file, labels from a config, and answers', async () => {
      const config = {
        id2label: { 3: 'fox', 2: 'emu', 1: 'dog', 0: 'cat' },
        problem_type: 'single_label_classification',
      };
      using head = await ClassificationHead.load(context, animalFile, { config });
      expect(head.labels).toEqual(animals);
      expect(head.activation).toBe('softmax');
      const expected = answersOf([1, 2, 0, 3], { weight: identity, bias: [0, 0, 0, 1], labels: animals });
      expectAnswers(await head.predict([1, 2, 0, 3]), [expected]);
    });

    test.each([
      'classifier.weight',
      'classifier.out_proj.weight',
      'score.weight',
      'fc.weight',
      'head.weight',
      'lm_head.weight',
      'weight',
      'model.classifier.weight',
      'model.lm_head.weight',
      '0.weight',
    ])('a weight named %s, and its bias', async (name) => {
      const bias = name.replace('weight', 'bias');
      const file = fileOf([
        tensor(bias, [5, 6]),
        tensor('embed', [[1]]),
        tensor('body.norm.weight', [1]),
        tensor(name, [
          [1, 2],
          [3, 4],
        ]),
      ]);
      using head = await ClassificationHead.load(context, file);
      expect(await weightOf(head)).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect(await head.bias?.array()).toEqual([5, 6]);
      expect(head.labels).toEqual(['0', '1']);
    });

    test('the surest name first, and only where it is a matrix', async () => {
      const file = fileOf([
        tensor('weight', [[1]]),
        tensor('classifier.weight', [9]),
        tensor('layer.0.fc.weight', [[2]]),
        tensor('layer.1.fc.weight', [[3]]),
        tensor('a.score.weight', [[5]]),
        tensor('lm_head.weight', [[4]]),
      ]);
      using head = await ClassificationHead.load(context, file);
      expect(await weightOf(head)).toEqual([[4]]);
    });

    test('by given names', async () => {
      const file = fileOf([tensor('classifier.weight', [[1]]), tensor('w', [[2]]), tensor('b', [3])]);
      using head = await ClassificationHead.load(context, file, { weightName: 'w', biasName: 'b' });
      expect([await weightOf(head), await head.bias?.array()]).toEqual([[[2]], [3]]);
      using bare = await ClassificationHead.load(context, file, { weightName: 'w' });
      expect(bare.bias).toBeNull();
    });

    test('F16 stays float16, BF16 becomes float32', async () => {
      using half = await ClassificationHead.load(
        context,
        halfFile('F16', [
          [1, 2 ** -24],
          [-65504, 0.5],
        ]),
      );
      expect(half.weight.dtype).toBe('float16');
      expect(await weightOf(half)).toEqual([
        [1, 2 ** -24],
        [-65504, 0.5],
      ]);
      using brain = await ClassificationHead.load(
        context,
        halfFile('BF16', [
          [1, 2 ** 100],
          [-3.140625, 0],
        ]),
      );
      expect(brain.weight.dtype).toBe('float32');
      expect(await weightOf(brain)).toEqual([
        [1, 2 ** 100],
        [-3.140625, 0],
      ]);
      const expected = answersOf([1, 1], {
        weight: [
          [1, 2 ** -24],
          [-65504, 0.5],
        ],
      });
      expectAnswers(await half.predict([1, 1]), [expected]);
    });

    test('a config of several labels a row means sigmoid', async () => {
      using head = await ClassificationHead.load(context, animalFile, {
        config: '{ "problem_type": "multi_label_classification" }',
      });
      expect(head.activation).toBe('sigmoid');
    });

    test('what a head saved is in the metadata; a config goes first', async () => {
      const metadata = { labels: JSON.stringify(animals), activation: 'sigmoid', temperature: '2.5', format: 'pt' };
      const file = fileOf([tensor('weight', identity)], metadata);
      using head = await ClassificationHead.load(context, file);
      expect([head.labels, head.activation, head.temperature]).toEqual([animals, 'sigmoid', 2.5]);
      const config = { id2label: { 0: 'a', 1: 'b', 2: 'c', 3: 'd' }, problem_type: 'single_label_classification' };
      using other = await ClassificationHead.load(context, file, { config });
      expect([other.labels, other.activation, other.temperature]).toEqual([['a', 'b', 'c', 'd'], 'softmax', 2.5]);
    });

    test('from a Blob, a URL and a string, with a config beside it', async () => {
      const blob = new Blob([animalFile]);
      const config = new Blob(['{"id2label":{"0":"cat","1":"dog","2":"emu","3":"fox"}}']);
      const urls = [URL.createObjectURL(blob), URL.createObjectURL(config)];
      try {
        const ways: [URL | string | Blob, LoadOptions['config']][] = [
          [blob, config],
          [urls[0], urls[1]],
          [new URL(urls[0]), new URL(urls[1])],
        ];
        for (const [source, description] of ways) {
          using head = await ClassificationHead.load(context, source, { config: description });
          expect(await weightOf(head)).toEqual(identity);
          expect(head.labels).toEqual(animals);
        }
      } finally {
        for (const url of urls) URL.revokeObjectURL(url);
      }
    });

    const refusals: [string, unknown, object, new (...args: never[]) => Error, string][] = [
      ['an unknown option', animalFile, { labels: [] }, TypeError, 'ClassificationHead.load: unknown option "labels"'],
      [
        'a source of the wrong kind',
        3,
        {},
        TypeError,
        '"source" must be a URL, a string, a Blob or an ArrayBuffer, got 3',
      ],
      ['a name of the wrong kind', animalFile, { weightName: 3 }, TypeError, '"weightName" must be a string, got 3'],
      ['a signal of the wrong kind', animalFile, { signal: {} }, TypeError, '"signal" must be an AbortSignal'],
      ['progress of the wrong kind', animalFile, { onProgress: {} }, TypeError, '"onProgress" must be a function'],
      ['a config of the wrong kind', animalFile, { config: 3 }, TypeError, '"config" must be an object'],
      ['a file that is none', new ArrayBuffer(3), {}, WeightsFormatError, 'header length'],
      ['a file without tensors', fileOf([]), {}, WeightsFormatError, 'The file holds no tensors'],
      [
        'a file without a head',
        fileOf([tensor('conv', [[1]]), tensor('norm.weight', [1])]),
        {},
        WeightsFormatError,
        'give "weightName". The file holds conv [1, 1], norm.weight [1]',
      ],
      [
        'a file of many layers',
        fileOf(Array.from({ length: 12 }, (_, i) => tensor(`${i}.weight`, [[1]]))),
        {},
        WeightsFormatError,
        'and 2 more',
      ],
      [
        'a name that is not there',
        animalFile,
        { weightName: 'fc.weight' },
        WeightsFormatError,
        '"weightName" is "fc.weight", but the file holds classifier.weight [4, 4], classifier.bias [4]',
      ],
      ['a bias that is not there', animalFile, { biasName: 'b' }, WeightsFormatError, '"biasName" is "b"'],
      [
        'a weight that is no matrix',
        animalFile,
        { weightName: 'classifier.bias' },
        WeightsFormatError,
        'tensor "classifier.bias" has shape [4]; the weight must',
      ],
      [
        'a bias that does not fit',
        fileOf([tensor('weight', [[1]]), tensor('bias', [1, 2])]),
        {},
        WeightsFormatError,
        'tensor "bias" has shape [2]; the bias must have shape [1]',
      ],
      ['a config that is no JSON', animalFile, { config: '{' }, WeightsFormatError, '"config" is not JSON'],
      [
        'a config file that is no object',
        animalFile,
        { config: new Blob(['[]']) },
        WeightsFormatError,
        '"config" must be a JSON object, got an array',
      ],
      [
        'too few labels',
        animalFile,
        { config: { id2label: { 0: 'a' } } },
        WeightsFormatError,
        'id2label has 1 labels, but the weight has 4 classes',
      ],
      [
        'labels that skip a class',
        animalFile,
        { config: { id2label: { 0: 'a', 1: 'b', 2: 'c', 4: 'd' } } },
        WeightsFormatError,
        'must name class 3, its entry is missing',
      ],
      [
        'labels that are no strings',
        animalFile,
        { config: { id2label: { 0: 'a', 1: 'b', 2: 'c', 3: 4 } } },
        WeightsFormatError,
        'class 3, its entry is of type number',
      ],
      [
        'labels that are no object',
        animalFile,
        { config: '{"id2label":["a"]}' },
        WeightsFormatError,
        'must be an object, got an array',
      ],
      [
        'labels of a prototype',
        animalFile,
        { config: '{"id2label":{"0":"a","1":"b","2":"c","__proto__":{"3":"d"}}}' },
        WeightsFormatError,
        'must name class 3',
      ],
      [
        'metadata labels that are no JSON',
        fileOf([tensor('weight', [[1]])], { labels: 'cat' }),
        {},
        WeightsFormatError,
        'metadata "labels" must be a JSON array of strings',
      ],
      [
        'too many metadata labels',
        fileOf([tensor('weight', [[1]])], { labels: '["a","b"]' }),
        {},
        WeightsFormatError,
        'has 2 labels, but the weight has 1 classes',
      ],
      [
        'a metadata activation',
        fileOf([tensor('weight', [[1]])], { activation: 'relu' }),
        {},
        WeightsFormatError,
        '"activation" must be "softmax" or "sigmoid", got "relu"',
      ],
      [
        'a metadata temperature',
        fileOf([tensor('weight', [[1]])], { temperature: '-1' }),
        {},
        WeightsFormatError,
        '"temperature" must be a positive number, got "-1"',
      ],
    ];
    test.each(refusals)('refuses %s', async (_, source, options, kind, message) => {
      const error = await errorOf(ClassificationHead.load(context, source as Blob, options));
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toContain(message);
    });
  });
});

describe('reading what is loaded', () => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend: 'cpu' });
  });
  afterAll(() => context.dispose());
  afterEach(() => vi.unstubAllGlobals());

  /** Answers every fetch with the file in three pieces, and says its length or not. */
  function serve(headers: Record<string, string>, broken?: Error): void {
    vi.stubGlobal('fetch', async () => {
      const pieces = [0, 100, 200].map((at, i) => new Uint8Array(animalFile.slice(at, i < 2 ? at + 100 : undefined)));
      const body = new ReadableStream({
        pull(controller) {
          const piece = pieces.shift();
          if (piece) controller.enqueue(piece);
          if (broken) controller.error(broken);
          else if (!pieces.length) controller.close();
        },
      });
      return new Response(body, { headers });
    });
  }

  const url = 'https://models.test/head.safetensors';
  const size = animalFile.byteLength;
  const progressOf = async (source: string | Blob | ArrayBuffer) => {
    const seen: { loaded: number; total: number | null }[] = [];
    const head = await ClassificationHead.load(context, source, { onProgress: (progress) => seen.push(progress) });
    head.dispose();
    return seen;
  };

  test('progress of a download whose length is known', async () => {
    serve({ 'content-length': String(size) });
    expect(await progressOf(url)).toEqual([100, 200, size].map((loaded) => ({ loaded, total: size })));
  });

  test('progress of a download whose length is not known, or is that of the compressed bytes', async () => {
    serve({});
    expect(await progressOf(url)).toEqual([100, 200, size].map((loaded) => ({ loaded, total: null })));
    serve({ 'content-length': '120', 'content-encoding': 'gzip' });
    expect((await progressOf(url)).at(-1)).toEqual({ loaded: size, total: null });
  });

  test('progress of a Blob and of an ArrayBuffer', async () => {
    expect((await progressOf(new Blob([animalFile]))).at(-1)).toEqual({ loaded: size, total: size });
    expect(await progressOf(animalFile)).toEqual([{ loaded: size, total: size }]);
  });

  test('a status that is not OK', async () => {
    vi.stubGlobal('fetch', async () => new Response('no', { status: 404, statusText: 'Not Found' }));
    const error = await errorOf(ClassificationHead.load(context, url));
    expect(error).toBeInstanceOf(CrossheadError);
    expect(error.message).toBe(`ClassificationHead.load: could not fetch ${url}: status 404 Not Found`);
  });

  test('a server that cannot be reached', async () => {
    const cause = new TypeError('Failed to fetch');
    vi.stubGlobal('fetch', async () => Promise.reject(cause));
    const error = await errorOf(ClassificationHead.load(context, url));
    expect(error).toBeInstanceOf(CrossheadError);
    expect(error.message).toBe(`ClassificationHead.load: could not fetch ${url}: Failed to fetch`);
    expect(error.cause).toBe(cause);
  });

  test('a download that breaks off', async () => {
    serve({}, new Error('connection reset'));
    const error = await errorOf(ClassificationHead.load(context, url));
    expect(error).toBeInstanceOf(CrossheadError);
    expect(error.message).toBe(`ClassificationHead.load: ${url} could not be read to its end: connection reset`);
  });

  test('an error of onProgress is the caller’s own', async () => {
    serve({});
    const mine = new Error('mine');
    const onProgress = () => {
      throw mine;
    };
    expect(await errorOf(ClassificationHead.load(context, url, { onProgress }))).toBe(mine);
  });

  test.each(['before', 'at the first piece', 'at the last piece'])('an abort %s', async (when) => {
    serve({ 'content-length': String(size) });
    const controller = new AbortController();
    const reason = { told: 'so' };
    const at = when === 'at the last piece' ? size : 100;
    if (when === 'before') controller.abort(reason);
    const onProgress = ({ loaded }: { loaded: number }) => loaded === at && controller.abort(reason);
    const loading = ClassificationHead.load(context, url, { onProgress, signal: controller.signal });
    await expect(loading).rejects.toBe(reason);
    expect(context.memory().tensors).toBe(0);
  });

  test('an abort while the server is silent', async () => {
    vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => {
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('some other error'))));
    });
    const controller = new AbortController();
    const loading = ClassificationHead.load(context, url, { signal: controller.signal });
    controller.abort();
    await expect(loading).rejects.toBe(controller.signal.reason);
  });

  test('an abort of a Blob', async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => controller.abort() };
    const error = await errorOf(ClassificationHead.load(context, new Blob([animalFile]), options));
    expect(error).toBe(controller.signal.reason);
  });
});
