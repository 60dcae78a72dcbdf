// A head's answers against float64, on both backends; and all that `predict` refuses.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Context, createContext } from '../src/context.ts';
import { DisposedError, ShapeError } from '../src/errors.ts';
import { roundToHalf } from '../src/float16.ts';
import { bestOf } from '../src/head/best.ts';
import { ClassificationHead } from '../src/head/classification-head.ts';
import { expectClose } from './support/close.ts';
import { animals, answersOf, errorOf, expectAnswers, identity, matrix } from './support/heads.ts';
import { normal } from './support/random.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

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

    test('without the logits, where they would be many: the same answers', async () => {
      const [weight, features] = [matrix(300, 12, 21), matrix(5, 12, 22)];
      features[2][3] = nan;
      const bias = [...normal(300, { seed: 23 })];
      bias[7] = -infinity;
      for (const activation of ['softmax', 'sigmoid'] as const) {
        using head = ClassificationHead.fromWeights(context, { weight, bias, activation });
        using rows = context.tensor(features);
        const options = { k: 9, temperature: 1.5, kept: null, energy: false };
        const [stored, forgotten] = [bestOf(head, rows, options), bestOf(head, rows, options, 0)];
        const plans = [stored, forgotten].map(({ values }) => values.plan);
        expect(plans[0] === plans[1]).toBe(backend === 'cpu'); // else it is no other way
        expect(await forgotten.indices.data()).toEqual(await stored.indices.data());
        expectClose(await forgotten.values.data(), await stored.values.data(), { relative: 1e-5 });
        for (const { values, indices } of [stored, forgotten]) for (const made of [values, indices]) made.dispose();
      }
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
});
