// What evaluate, calibrate and fitRejection say, against plain float64.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { calibrate } from '../src/head/calibrate.ts';
import { ClassificationHead, type Context, createContext } from '../src/index.ts';
import { errorOf, identity, matrix } from './support/heads.ts';
import { integers } from './support/random.ts';

const { NaN: nan } = Number;
const softmaxOf = (row: number[], temperature: number) => {
  const powers = row.map((x) => Math.exp((x - Math.max(...row)) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};
const lossOf = (rows: number[][], targets: ArrayLike<number>, temperature: number) =>
  rows.reduce((sum, row, i) => sum - Math.log(softmaxOf(row, temperature)[targets[i]]), 0) / rows.length;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());
  afterEach(() => expect(context.memory().tensors).toBe(0));
  const plain = (options: object = {}) => ClassificationHead.fromWeights(context, { weight: identity, ...options });

  test('evaluate: by hand', async () => {
    using head = plain({ labels: ['cat', 'dog', 'emu', 'fox'] });
    const rows = [
      [3, 0, 0, 0],
      [0, 3, 1, 0],
      [2, 1, 0, 0],
      [0, 0, 0, 9],
      [nan, 0, 0, 0],
    ];
    const targets = [0, 1, 1, -100, 0];
    const found = await head.evaluate(rows, targets, { topK: 2 });
    expect(found.loss).toBe(nan); // a row without an answer has no loss
    expect([found.accuracy, found.topKAccuracy]).toEqual([2 / 4, 3 / 4]);
    expect(found.confusion).toEqual([
      [1, 0, 0, 0],
      [1, 1, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(found.samples(1, 0)).toEqual([2]);
    expect(found.perClass[0]).toEqual({ label: 'cat', precision: 1 / 2, recall: 1 / 2, f1: 1 / 2, support: 2 });
    expect(found.perClass[1]).toEqual({ label: 'dog', precision: 1, recall: 1 / 2, f1: 2 / 3, support: 2 });
    expect(found.perClass[2]).toEqual({ label: 'emu', precision: 0, recall: 0, f1: 0, support: 0 });
    const whole = await head.evaluate(rows.slice(0, 3), ['cat', 'dog', 'dog'], { topK: 1 });
    expect(whole.loss).toBeCloseTo(lossOf(rows.slice(0, 3), [0, 1, 1], 1), 5);
    expect(whole.bins.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    const scores = rows.slice(0, 3).map((row) => Math.max(...softmaxOf(row, 1)));
    const bin = (score: number) => Math.ceil(score * 15) - 1;
    expect(new Set(scores.map(bin)).size).toBe(3); // so that each row is a bin of its own
    const gaps = scores.map((score, i) => Math.abs(score - (i < 2 ? 1 : 0)));
    expect(whole.expectedCalibrationError).toBeCloseTo(gaps.reduce((a, b) => a + b, 0) / 3, 5);
  });

  test('evaluate: each class on its own, and no rows', async () => {
    using head = plain({ activation: 'sigmoid' });
    const rows = [
      [2, -1, 1, -3],
      [-1, -1, -2, 4],
    ];
    const labels = [
      [1, 0, 0, 0],
      [0, 1, 0, 1],
    ];
    head.temperature = 2;
    const found = await head.evaluate(rows, labels, { topK: 1 });
    expect([found.accuracy, found.topKAccuracy]).toEqual([6 / 8, 1]);
    expect(found.confusion).toEqual([
      [1, 0, 1, 0],
      [0, 0, 0, 1],
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ]);
    expect(found.perClass[3]).toMatchObject({ precision: 1, recall: 1, support: 1 });
    const losses = rows.flatMap((row, i) =>
      row.map((x, c) => Math.log1p(Math.exp(-x / 2)) + (1 - labels[i][c]) * (x / 2)),
    );
    expect(found.loss).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 8, 5);
    using soft = plain();
    expect((await soft.evaluate([], [])).accuracy).toBe(nan);
  });

  test('evaluate: of classes on their own, a sure no is as good as a sure yes, and a row without an answer is wrong', async () => {
    using head = ClassificationHead.fromWeights(context, {
      weight: [
        [30, 0],
        [0, 30],
      ],
      bias: [-15, -15],
      activation: 'sigmoid',
    });
    const rows = [
      [1, 0],
      [0, 1],
      [0, 0],
      [0, 0],
    ];
    const sure = await head.evaluate(rows, rows);
    expect(sure.expectedCalibrationError).toBeLessThan(1e-5);
    expect(sure.bins.map(({ count, accuracy }) => [count, accuracy])).toEqual([...Array(14).fill([0, 0]), [8, 1]]);
    const none = await head.evaluate([[nan, nan]], [[1, 0]], { topK: 1 });
    expect([none.accuracy, none.topKAccuracy]).toEqual([0, 0]);
  });

  test('rows that are not finite set no threshold, and are none of the classes', async () => {
    using head = ClassificationHead.fromWeights(context, {
      weight: [
        [1, 2],
        [3, 4],
      ],
    });
    const infinity = Number.POSITIVE_INFINITY;
    const { below } = await head.fitRejection(
      [
        [1, 1],
        [-infinity, -infinity],
        [infinity, 1],
        [2, 2],
      ],
      { keep: 1 },
    );
    expect(below).toBeCloseTo(7 + Math.log1p(Math.exp(-4)), 5);
    expect(
      (
        await head.predict([
          [infinity, 1],
          [nan, 1],
          [2, 2],
        ])
      ).map((list) => list.length),
    ).toEqual([0, 0, 2]);
    using again = await ClassificationHead.load(context, await head.save());
    expect(again.rejection).toEqual(head.rejection);
  });

  test('of classes on their own, an infinite logit has the limit of its loss', async () => {
    using head = ClassificationHead.fromWeights(context, {
      weight: [[1], [1], [1]],
      bias: [0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      activation: 'sigmoid',
    });
    const wrong = Math.log1p(Math.exp(-1));
    expect((await head.evaluate([[1]], [[1, 0, 1]])).loss).toBeCloseTo(wrong / 3, 6);
    expect((await head.evaluate([[1]], [[1, 1, 1]])).loss).toBe(Number.POSITIVE_INFINITY);
    expect((await head.evaluate([[1]], [[1, 0, 0]])).loss).toBe(Number.POSITIVE_INFINITY);
    // The third row is lost at any temperature.
    const found = await head.calibrate(
      [[1], [-1], [2]],
      [
        [1, 0, 1],
        [1, 0, 1],
        [1, 1, 1],
      ],
    );
    expect(found.before).toBeCloseTo((wrong + Math.log1p(Math.exp(1))) / 6, 6);
  });

  test('evaluate: thousands of classes have no matrix until it is asked for, and too many have none', async () => {
    for (const classes of [3000, 9000]) {
      const weight = new Float32Array(classes).map((_, c) => c);
      using head = ClassificationHead.fromWeights(context, { weight: context.tensor(weight, [classes, 1]) });
      const found = await head.evaluate([[1], [-1]], [classes - 1, 5]);
      expect(found.samples(5, 0)).toEqual([1]);
      if (classes === 3000) expect([found.confusion[2999][2999], found.confusion[5][0]]).toEqual([1, 1]);
      else expect(() => found.confusion).toThrow('evaluate: "confusion" of 9000 classes is too large');
      head.weight.dispose();
    }
  });

  test('calibrate finds the temperature of the least loss', async () => {
    using head = plain();
    const rows = matrix(60, 4, 3).map((row) => row.map((x) => Math.fround(4 * x)));
    const best = rows.map((row) => row.indexOf(Math.max(...row)));
    const targets = [...integers(60, 4, { seed: 4 })].map((other, i) => (i % 3 ? best[i] : other));
    const found = await head.calibrate(rows, targets);
    expect(found.before).toBeCloseTo(lossOf(rows, targets, 1), 6);
    expect(found.after).toBeCloseTo(lossOf(rows, targets, found.temperature), 6);
    expect(found.after).toBeLessThan(found.before);
    for (const factor of [0.99, 1.01])
      expect(lossOf(rows, targets, found.temperature * factor)).toBeGreaterThan(found.after);
    expect(head.temperature).toBe(found.temperature);
    expect((await head.evaluate(rows, targets)).loss).toBeCloseTo(found.after, 5);
    // Rows that no temperature helps are left out, and there is an end to what a temperature may be.
    const again = await head.calibrate([...rows, [nan, 0, 0, 0], [1, 2, 3, 4]], [...targets, 0, -100]);
    expect(again.temperature).toBeCloseTo(found.temperature, 6);
    expect((await errorOf(head.calibrate([[nan, 0, 0, 0]], [0]))).message).toBe(
      'calibrate: no row has a loss to be made smaller',
    );
    expect((await errorOf(head.calibrate([[1, 0, 0, 0]], [[1, 0, 0, 0]]))).message).toBe(
      'calibrate: "targets" of a softmax head must be class indices',
    );
  });

  test('calibrate: rows that are all right do not make the head certain: one wrong answer is added to them', async () => {
    using head = plain();
    const rows = matrix(30, 4, 3).map((row) => row.map((x) => Math.fround(4 * x)));
    const best = rows.map((row) => row.indexOf(Math.max(...row)));
    const second = rows.map((row, i) => row.indexOf(Math.max(...row.filter((_, c) => c !== best[i]))));
    const doubted = (t: number) => (31 * lossOf(rows, best, t) + lossOf(rows, second, t)) / 32;
    const { temperature, after } = await head.calibrate(rows, best);
    for (const factor of [0.99, 1.01]) expect(doubted(temperature * factor)).toBeGreaterThan(doubted(temperature));
    expect(after).toBeCloseTo(lossOf(rows, best, temperature), 6);
    using each = plain({ activation: 'sigmoid' });
    const labels = rows.map((row) => row.map((x) => Number(x > 0)));
    const elements = rows.flat().map(Math.abs);
    const each1 = (t: number, sign: number) =>
      elements.reduce((sum, x) => sum + Math.log1p(Math.exp((-sign * x) / t)), 0);
    const doubtedEach = (t: number) => (31 * each1(t, 1) + each1(t, -1)) / 32;
    const found = (await each.calibrate(rows, labels)).temperature;
    for (const factor of [0.99, 1.01]) expect(doubtedEach(found * factor)).toBeGreaterThan(doubtedEach(found));
  });

  test('calibrate: logits that are made again for each look give the same', async () => {
    using head = plain();
    const rows = matrix(60, 4, 3);
    const targets = Int32Array.from(integers(60, 4, { seed: 4 }));
    const examples = [
      [...rows, [nan, 0, 0, 0]],
      [...targets, 1],
    ] as const;
    const once = await calibrate(head, ...examples);
    expect(await calibrate(head, ...examples, 0)).toEqual(once);
    expect(once.after).toBeLessThan(once.before);
  });

  test('calibrate: each class on its own', async () => {
    using head = plain({ activation: 'sigmoid' });
    const rows = matrix(50, 4, 5).map((row) => row.map((x) => Math.fround(5 * x)));
    const noise = matrix(50, 4, 6);
    const labels = rows.map((row, i) => row.map((x, c) => (x + 4 * noise[i][c] > 0 ? 1 : 0)));
    const { temperature, before, after } = await head.calibrate(rows, labels);
    expect(temperature).toBeGreaterThan(1.2);
    expect(after).toBeLessThan(before);
    expect((await head.evaluate(rows, labels)).loss).toBeCloseTo(after, 5);
  });

  test('no rows: no answers, nothing counted, and nothing to be fitted to', async () => {
    for (const activation of ['softmax', 'sigmoid'] as const) {
      using head = plain({ activation });
      const one = activation === 'softmax';
      using x = context.tensor([], [0, 4]);
      using t = context.tensor([], one ? [0] : [0, 4], { dtype: one ? 'int32' : 'float32' });
      for (const [rows, targets] of [
        [[], []],
        [new Float32Array(0), one ? new Int32Array(0) : new Float32Array(0)],
        [x, t],
      ] as const) {
        expect(await head.predict(rows)).toEqual([]);
        expect(await head.evaluate(rows, targets)).toMatchObject({ loss: nan, accuracy: nan, topKAccuracy: nan });
        const refused = {
          calibrate: [head.calibrate(rows, targets), 'calibrate: no row has a loss to be made smaller'],
          fitRejection: [head.fitRejection(rows), 'fitRejection: no row has a score'],
          fit: [head.fit(rows, targets), 'fit: "features" must hold at least one row'],
        } as const;
        for (const [call, message] of Object.values(refused))
          expect(await errorOf(call)).toEqual(new RangeError(message));
      }
      expect([head.temperature, head.rejection]).toEqual([1, null]);
    }
  });

  test('one class, and one row', async () => {
    const weight = [[1, 2]];
    using sure = ClassificationHead.fromWeights(context, { weight });
    sure.temperature = 1.1;
    expect(await sure.predict([[1, 1]])).toEqual([[{ label: '0', index: 0, score: 1 }]]);
    const found = await sure.evaluate([[1, 1]], [0]);
    expect(found).toMatchObject({ loss: 0, accuracy: 1, confusion: [[1]], expectedCalibrationError: 0 });
    // Whatever the temperature, the score is 1.
    expect(await sure.calibrate([[1, 1]], [0])).toEqual({ temperature: 1.1, before: 0, after: 0 });
    for (const keep of [0, 0.5, 1]) expect((await sure.fitRejection([[1, 1]], { keep })).below).toBeCloseTo(3, 5);
    expect((await sure.predict([[1, 1]])).length).toBe(1);

    // A head of one class on its own is of two answers, and floats say how much of each row is it.
    using each = ClassificationHead.fromWeights(context, { weight, activation: 'sigmoid' });
    const rows = [
      [1, 0],
      [-1, 0],
    ];
    const labels = Float32Array.of(1, 1);
    const loss = (Math.log1p(Math.exp(-1)) + Math.log1p(Math.exp(1))) / 2;
    const whole = await each.evaluate(rows, labels);
    expect(whole.loss).toBeCloseTo(loss, 6);
    expect(whole).toMatchObject({ accuracy: 1 / 2, confusion: [[1]] });
    expect(await each.evaluate(rows, [[1], [1]])).toMatchObject({ loss: whole.loss });
    expect((await each.calibrate(rows, labels)).before).toBeCloseTo(loss, 6);
    expect((await each.fit(rows, labels, { epochs: 1 })).epochs[0].loss).toBeCloseTo(loss, 6);
  });

  test('rows of none of the classes get an empty list', async () => {
    using head = plain();
    const known = Array.from({ length: 20 }, (_, i) => [6 + 0.1 * i, 0, 0, 0]);
    const odd = [0.1, 0, 0, 0.2];
    for (const score of ['energy', 'probability'] as const) {
      head.temperature = 1.5;
      const found = await head.fitRejection(known, { keep: 0.9, score });
      expect(found.score).toBe(score);
      expect(head.rejection).toEqual(found);
      const lists = await head.predict([...known, odd, [nan, 0, 0, 0]], { topK: 1 });
      expect(lists.map((list) => list.length)).toEqual([0, 0, ...new Array(18).fill(1), 0, 0]);
      expect((await head.predict(odd, { rejectBelow: null }))[0].length).toBe(4);
    }
    expect((await head.predict([odd, known[19]], { rejectBelow: 0.5 })).map((list) => list.length)).toEqual([0, 4]);
    const bad = await errorOf(head.predict(odd, { rejectBelow: 'low' as never }));
    expect(bad.message).toBe('predict: "rejectBelow" must be a number or what fitRejection gives, got "low"');
    using many = plain({ activation: 'sigmoid' });
    expect((await errorOf(many.fitRejection(known, { score: 'energy' }))).message).toMatch('has no energy');
  });
});
