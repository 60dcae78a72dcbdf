// The losses with a class axis but crossEntropy, and the derivatives by logits, beyond the table: what they refuse, their options
// together, and the rows on which plain formulas keep no digit.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  brierLoss,
  type Context,
  createContext,
  crossEntropy,
  entropy,
  entropyGradient,
  entropyLoss,
  focalLoss,
  jsDivergence,
  klDivergence,
  type LossResult,
  logSoftmax,
  logSoftmaxGradient,
  logSumExpGradient,
  multiMarginLoss,
  nllLoss,
  ShapeError,
  softmax,
  softmaxGradient,
  type Tensor,
} from '../src/index.ts';
import { withoutAxis } from '../src/rows.ts';
import * as of from './support/class-losses-reference.ts';
import { expectClose, expectCloseByRow } from './support/close.ts';
import { stored } from './support/hold.ts';
import { type Distribution, makeRows, normal } from './support/random.ts';
import * as reference from './support/reference.ts';

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: masked } = Number;
const any = (value: unknown) => value as never;
const make = (length: number, value: (i: number) => number) => Float32Array.from({ length }, (_, i) => value(i));
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

type Loss = (x: Tensor, options?: object) => unknown;
/** Each loss of three classes and two rows, with operands that fit. */
const losses: Record<string, Loss> = {
  nllLoss: (x, o) => nllLoss(x, [0, 1], o),
  focalLoss: (x, o) => focalLoss(x, [0, 1], o),
  klDivergence: (x, o) => klDivergence(x, new Float32Array(6), o),
  jsDivergence: (x, o) => jsDivergence(x, x, o),
  entropyLoss: (x, o) => entropyLoss(x, o),
  multiMarginLoss: (x, o) => multiMarginLoss(x, [0, 1], o),
  brierLoss: (x, o) => brierLoss(x, [0, 1], o),
};
const ofIndices = { nllLoss, focalLoss, multiMarginLoss, brierLoss };

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  let x: Tensor;
  beforeAll(async () => {
    context = await createContext({ backend });
    x = context.tensor([
      [1, 2, 3],
      [0, -1, 0.5],
    ]);
  });
  afterAll(() => context.dispose());

  describe('refuse', () => {
    /** The error, and that nothing was made for the call. */
    const refuses = (call: () => unknown, kind: new (message: string) => Error, message: string) => {
      const before = context.memory();
      expect(call).toThrow(kind);
      expect(call).toThrow(message);
      expect(context.memory()).toEqual(before);
    };

    it.each(Object.entries(losses))('%s: options of all', (fn, call) => {
      refuses(() => call(x, { weight: 1 }), TypeError, `${fn}: unknown option "weight"`);
      refuses(() => call(any([1])), TypeError, `${fn}: "`);
      const choices = fn === 'klDivergence' ? '"none", "mean", "sum" or "batchmean"' : '"none", "mean" or "sum"';
      refuses(() => call(x, { reduction: 'avg' }), TypeError, `${fn}: "reduction" must be ${choices}, got "avg"`);
      refuses(() => call(x, { gradient: 1 }), TypeError, `${fn}: "gradient" must be true or false, got 1`);
      refuses(() => call(x, { axis: 2 }), RangeError, `${fn}: "axis" must be an integer from -2 to 1, got 2`);
      refuses(() => call(x, { sampleWeights: [1, 2, 3] }), ShapeError, `${fn}: "sampleWeights" must have shape [2]`);
      refuses(() => call(x, { upstream: [1, 2] }), ShapeError, `${fn}: "upstream" must have shape []`);
    });

    it.each(Object.entries(ofIndices))('%s: targets', async (name, loss) => {
      const call = loss as (x: Tensor, targets: Parameters<typeof nllLoss>[1], options?: object) => LossResult;
      refuses(() => call(x, [0, 3]), RangeError, `${name}: "targets" must be classes from 0 to 2`);
      refuses(() => call(x, [0, 1, 2]), ShapeError, `${name}: "targets" must have shape [2]`);
      refuses(() => call(x, new Float32Array(2)), TypeError, `${name}: "targets" must be class indices (int32)`);
      refuses(() => call(x, [0, 1], { validate: 1 }), TypeError, `${name}: "validate" must be true or false, got 1`);
      const bad = context.tensor([1, 7], [2], { dtype: 'int32' });
      const checked = async () => call(x, bad, { validate: true }).loss.data();
      await expect(checked()).rejects.toThrow(`${name}: "targets" must be classes from 0 to 2`);
    });

    it('gamma, alpha, p, margin, temperature, class weights, ignoreIndex: out of range or of the wrong kind', () => {
      for (const gamma of [-1, nan, inf, 1e39])
        refuses(() => losses.focalLoss(x, { gamma }), RangeError, 'focalLoss: "gamma" must be a finite number from 0');
      refuses(
        () => losses.focalLoss(x, { gamma: '2' }),
        TypeError,
        'focalLoss: "gamma" must be a finite number from 0',
      );
      refuses(
        () => losses.focalLoss(x, { alpha: [1, 2] }),
        ShapeError,
        'focalLoss: "alpha" must have shape [3], one a class',
      );
      refuses(() => losses.focalLoss(x, { alpha: 0.25 }), ShapeError, 'focalLoss: "alpha" must have shape [3]');
      refuses(() => losses.focalLoss(x, { ignoreIndex: 1 }), TypeError, 'focalLoss: unknown option "ignoreIndex"');
      for (const p of [0, 1.5, 3, nan])
        refuses(() => losses.multiMarginLoss(x, { p }), RangeError, `multiMarginLoss: "p" must be 1 or 2, got ${p}`);
      for (const margin of [nan, inf, 1e39])
        refuses(
          () => losses.multiMarginLoss(x, { margin }),
          RangeError,
          'multiMarginLoss: "margin" must be a finite number',
        );
      for (const fn of ['nllLoss', 'multiMarginLoss'])
        refuses(() => losses[fn](x, { classWeights: [1] }), ShapeError, `${fn}: "classWeights" must have shape [3]`);
      for (const temperature of [0, -1, nan, inf])
        refuses(
          () => losses.klDivergence(x, { temperature }),
          RangeError,
          'klDivergence: "temperature" must be a positive',
        );
      refuses(() => losses.nllLoss(x, { ignoreIndex: 0.5 }), RangeError, 'nllLoss: "ignoreIndex" must be an integer');
      refuses(() => losses.entropyLoss(x, { reduction: 'batchmean' }), TypeError, 'entropyLoss: "reduction" must be');
    });

    it('second inputs that do not fit', async () => {
      refuses(() => klDivergence(x, [1, 2]), ShapeError, 'klDivergence: "targetProbabilities" must have shape [2, 3]');
      const integers = context.tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        undefined,
        { dtype: 'int32' },
      );
      refuses(() => klDivergence(x, integers), TypeError, 'klDivergence: soft "targetProbabilities" must be float32');
      refuses(() => jsDivergence(x, any([1])), TypeError, 'jsDivergence: "logitsB" must be a Tensor');
      const half = context.tensor(new Float32Array(6), [2, 3], { dtype: 'float16' });
      refuses(() => jsDivergence(x, half), TypeError, 'jsDivergence: "logitsB" must be float32, got float16');
      const wide = context.tensor([[1, 2, 3, 4]]);
      refuses(
        () => jsDivergence(x, wide),
        ShapeError,
        'jsDivergence: "logitsB" must have shape [2, 3], as "logitsA" has',
      );
      refuses(
        () => losses.jsDivergence(x, { gradientOut: x }),
        TypeError,
        'jsDivergence: "gradientOut" cannot be given',
      );
      const elsewhere = await createContext({ backend: 'cpu' });
      const theirs = elsewhere.tensor(new Float32Array(6), [2, 3]);
      refuses(() => jsDivergence(x, theirs), TypeError, 'jsDivergence: "logitsB" is a tensor of another context');
      elsewhere.dispose();
    });

    it('operands of the derivatives that do not fit', () => {
      const rows = { entropyGradient, logSumExpGradient };
      const small = context.tensor([1]);
      for (const [fn, call] of Object.entries(rows)) {
        refuses(() => call(x, any(undefined)), TypeError, `${fn}: "upstream"`);
        refuses(() => call(x, [1, 2, 3]), ShapeError, `${fn}: "upstream" must have shape [2], one a row`);
        refuses(() => call(x, [1, 2], any({ temperature: 1 })), TypeError, `${fn}: unknown option "temperature"`);
        refuses(() => call(x, [1, 2], { out: small }), ShapeError, `${fn}: "out" must have shape`);
      }
      const matrices = { softmaxGradient, logSoftmaxGradient };
      for (const [fn, call] of Object.entries(matrices)) {
        refuses(() => call(x, any(undefined)), TypeError, `${fn}: "upstream"`);
        refuses(() => call(x, [1, 2]), ShapeError, `${fn}: "upstream" must have shape [2, 3]`);
        refuses(
          () => call(x, x, { temperature: 0 }),
          RangeError,
          `${fn}: "temperature" must be a positive finite number`,
        );
        refuses(() => call(x, x, any({ gamma: 1 })), TypeError, `${fn}: unknown option "gamma"`);
        refuses(() => call(any(1), x), TypeError, `${fn}: "`);
      }
      refuses(() => entropy(x, any({ temperature: 1 })), TypeError, 'entropy: unknown option "temperature"');
      refuses(() => entropy(x, { axis: 5 }), RangeError, 'entropy: "axis"');
    });
  });

  describe('options together', () => {
    const shape = [3, 4, 5];
    const values = normal(60, { sigma: 2, seed: 3 });
    const labels = make(60, (i) => [0.25, 0, 0.5, 0.125, 0.75][(i * 3) % 5]);
    interface Whole {
      call(x: Tensor, targets: Int32Array, options: object, axis: number): LossResult;
      row(row: number[], target: number, r: number, axis: number): of.RowResult;
      weighs?(target: number): number;
    }
    const weights = [1, 0.5, 2, 0.25, 1.5];
    const perClass = (axis: number) => weights.slice(0, shape[axis]);
    const whole: Record<string, Whole> = {
      nllLoss: {
        call: (t, targets, o, axis) =>
          nllLoss(t, t.context.tensor(targets, withoutAxis(t.shape, axis)), { ...o, classWeights: perClass(axis) }),
        row: (row, target) => of.nllRow(row, target, weights[target]),
        weighs: (target) => weights[target],
      },
      focalLoss: {
        call: (t, targets, o, axis) => focalLoss(t, targets, { ...o, gamma: 1.25, alpha: perClass(axis) }),
        row: (row, target) => of.focalRow(row, target, 1.25, weights[target]),
      },
      klDivergence: {
        call: (t, _, o) =>
          klDivergence(t, t.context.tensor(labels, t.shape, { dtype: t.dtype }), { ...o, temperature: 0.5 }),
        row: (row, _, r, axis) => of.klRow(row, of.rowOf(labels, shape, axis, r), 0.5),
      },
      entropyLoss: { call: (t, _, o) => entropyLoss(t, o), row: (row) => of.entropyRow(row) },
      multiMarginLoss: {
        call: (t, targets, o, axis) =>
          multiMarginLoss(t, targets, { ...o, p: 2, margin: 2, classWeights: perClass(axis) }),
        row: (row, target) => of.marginRow(row, target, 2, 2, weights[target]),
      },
      brierLoss: {
        call: (t, targets, o) => brierLoss(t, targets, o),
        row: (row, target) => of.brierRow(row, of.oneHot(row.length, target)),
      },
    };
    const combinations = [0, 1, 2].flatMap((axis) =>
      (['mean', 'sum', 'none'] as const).flatMap((reduction) =>
        (['float32', 'float16'] as const).map((dtype) => ({ axis, reduction, dtype })),
      ),
    );

    it.each(Object.entries(whole))(
      '%s: axis, reduction, dtype, sampleWeights, upstream',
      async (_, { call, row, weighs }) => {
        for (const { axis, reduction, dtype } of combinations) {
          const rowShape = withoutAxis(shape, axis);
          const count = sizeOf(rowShape);
          const targets = Int32Array.from({ length: count }, (_, r) => (r * 3 + 1) % shape[axis]);
          const sampleWeights = make(count, (r) => [1, 0, 0.5, 2][r % 4]);
          const upstream = reduction === 'none' ? make(count, (r) => [1, -2, 0.5][r % 3]) : 1.5;
          const input = stored(values, dtype);
          const options = { axis, reduction, sampleWeights, upstream, gradient: true };
          const actual = call(context.tensor(input, shape, { dtype }), targets, options, axis);
          const weightOf = (r: number) => weighs?.(targets[r]) ?? 1;
          const expected = of.framed(input, shape, axis, { ...options, weightOf }, (v, r) =>
            row(v, targets[r], r, axis),
          );
          const label = `axis ${axis}, ${reduction}, ${dtype}`;
          const rounding = dtype === 'float16' ? 2 ** -11 : 0;
          expect(actual.gradient!.dtype).toBe(dtype);
          expectClose(await actual.loss.data(), expected.loss, { relative: 3e-6, absolute: 1e-6 }, label);
          const largest = expected.gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
          const absolute = 5e-6 * largest + 2 ** -25;
          const error = make(60, (i) => Math.abs(expected.gradient[i]) * rounding + absolute);
          const gradient = await actual.gradient!.data();
          for (const [i, v] of gradient.entries())
            expect(Math.abs(v - expected.gradient[i]), label).toBeLessThanOrEqual(error[i]);
        }
      },
    );

    it("klDivergence: 'batchmean' divides by the rows, also with sampleWeights", async () => {
      const t = context.tensor(values, [12, 5]);
      const sampleWeights = make(12, (r) => r / 4);
      const sum = await klDivergence(t, labels, { reduction: 'sum', sampleWeights }).loss.array();
      const mean = await klDivergence(t, labels, { reduction: 'batchmean', sampleWeights }).loss.array();
      expect(mean).toBeCloseTo((sum as number) / 12, 6);
    });

    it('a row that weighs 0 adds nothing, whatever it holds', async () => {
      const t = context.tensor([
        [nan, 1, 2],
        [1, 2, 3],
      ]);
      for (const call of Object.values(losses)) {
        const options = { sampleWeights: [0, 1], gradient: true };
        const both = call(t, options) as LossResult & { gradients?: { logitsA: Tensor } };
        expect(await both.loss.data()).not.toContain(nan);
        const gradient = await (both.gradient ?? both.gradients!.logitsA).data();
        expect(Array.from(gradient.subarray(0, 3), Math.abs)).toEqual([0, 0, 0]);
      }
    });

    it('weights that sum to 0: NaN with gradient 0; no rows: NaN', async () => {
      for (const [fn, call] of Object.entries(losses)) {
        if (fn === 'jsDivergence') continue; // below
        const { loss, gradient } = call(x, { sampleWeights: [0, 0], gradient: true }) as LossResult;
        expect(await loss.array(), fn).toBeNaN();
        expect(Array.from(await gradient!.data(), Math.abs), fn).toEqual([0, 0, 0, 0, 0, 0]);
      }
      const none = context.tensor([], [0, 3]);
      expect(await jsDivergence(none, none).loss.array()).toBeNaN();
      expect(await entropyLoss(none).loss.array()).toBeNaN();
      expect(await entropyLoss(none, { reduction: 'sum' }).loss.array()).toBe(0);
      expect(await entropyGradient(none, []).data()).toHaveLength(0);
    });

    it('targets in a tensor that are no class: NaN in that row alone', async () => {
      const targets = context.tensor([5, 1], [2], { dtype: 'int32' });
      for (const [name, call] of Object.entries(ofIndices)) {
        const { loss, gradient } = call(x, targets, { reduction: 'none', gradient: true });
        const [bad, good] = await loss.data();
        expect([bad, Number.isFinite(good)], name).toEqual([nan, true]);
        const slopes = Array.from(await gradient!.data());
        expect(slopes.slice(0, 3), name).toEqual([nan, nan, nan]);
        expect(slopes.slice(3).every(Number.isFinite), name).toBe(true);
      }
    });

    it('a masked target: an infinite loss, its gradient -alpha in focalLoss; labels of no probability: NaN', async () => {
      const t = context.tensor([[masked, 0, 0]]);
      const focal = focalLoss(t, [0], { alpha: [0.5, 1, 1], gradient: true });
      expect(await focal.loss.array()).toBe(inf);
      expectClose(await focal.gradient!.data(), [-0.5, 0.25, 0.25], { relative: 1e-6 });
      expect(await focalLoss(t, [0], { alpha: [0, 1, 1] }).loss.array()).toBe(0);
      expect(await nllLoss(t, [0], { classWeights: [0, 1, 1], reduction: 'sum' }).loss.array()).toBe(0);
      const margin = multiMarginLoss(t, [0], { gradient: true });
      expect(await margin.loss.array()).toBe(inf);
      expectClose(await margin.gradient!.data(), [-2 / 3, 1 / 3, 1 / 3], { relative: 1e-6 });
      const square = multiMarginLoss(t, [0], { gradient: true, p: 2 });
      expect(await square.loss.array()).toBe(inf);
      expect(Array.from(await square.gradient!.data())).toEqual([-inf, inf, inf]);
      for (const bad of [-0.5, nan, inf]) expect(await klDivergence(x, [bad, 1, 0, 0, 1, 0]).loss.array()).toBeNaN();
      for (const bad of [nan, inf, -inf])
        expect(
          await brierLoss(x, [
            [bad, 1, 0],
            [0, 1, 0],
          ]).loss.array(),
        ).toBeNaN();
    });
  });

  describe('the derivatives by logits', () => {
    const shape = [2, 3, 4];
    const logits = normal(24, { sigma: 2, seed: 5 });
    const u = make(24, (i) => [1, -0.5, 0.25, 2, -1.5][i % 5]);

    it.each(['float32', 'float16'] as const)('of results as given, with a temperature: %s', async (dtype) => {
      const temperature = 2.5;
      for (const axis of [0, 1, 2]) {
        const p = stored(reference.softmax(logits, shape, { axis, temperature }), dtype);
        const logs = stored(reference.logSoftmax(logits, shape, { axis, temperature }), dtype);
        const each = (values: ArrayLike<number>, f: (v: number[], own: number[], c: number) => number) =>
          of.framed(values, shape, axis, { reduction: 'sum', upstream: 1 / temperature }, (v, r) => ({
            loss: 0,
            gradient: v.map((_, c) => f(v, of.rowOf(u, shape, axis, r), c)),
          })).gradient;
        const sum = (v: number[]) => v.reduce((a, b) => a + b, 0);
        const ofP = each(p, (v, own, c) => v[c] * (own[c] - sum(v.map((w, k) => w * own[k]))));
        const ofLogs = each(logs, (v, own, c) => own[c] - Math.exp(v[c]) * sum(own));
        const upstream = context.tensor(u, shape, { dtype });
        const tensor = (values: Float64Array) => context.tensor(values, shape, { dtype });
        const absolute = dtype === 'float16' ? 1e-3 : 1e-6;
        expectClose(await softmaxGradient(tensor(p), upstream, { axis, temperature }).data(), ofP, { absolute });
        expectClose(await logSoftmaxGradient(tensor(logs), upstream, { axis, temperature }).data(), ofLogs, {
          absolute,
        });
      }
    });

    it('over either operand, and with arrays', async () => {
      for (const call of [softmaxGradient, logSoftmaxGradient]) {
        const forward = call === softmaxGradient ? softmax : logSoftmax;
        const make = () => forward(context.tensor(logits, shape));
        const expected = await call(make(), Array.from(u)).data();
        const upstream = context.tensor(u, shape);
        const [result, own] = [make(), make()];
        call(own, upstream, { out: own });
        call(result, upstream, { out: upstream });
        expect(await own.data()).toEqual(expected);
        expect(await upstream.data()).toEqual(expected);
      }
    });

    it('an upstream that is not finite gives NaN in its row alone', async () => {
      const p = context.tensor([
        [0.25, 0.75],
        [0.5, 0.5],
      ]);
      for (const call of [softmaxGradient, logSoftmaxGradient]) {
        const result = Array.from(
          await call(p, [
            [inf, 1],
            [1, -1],
          ]).data(),
        );
        expect(result.slice(0, 2)).toEqual([nan, nan]);
        expect(result.slice(2).every(Number.isFinite)).toBe(true);
      }
    });

    it('softmaxGradient of what is no softmax keeps to its formula', async () => {
      const actual = await softmaxGradient(context.tensor([[2, 3, 0.25]]), [[1, -1, 4]]).data();
      expectClose(actual, [2 * (1 - 0), 3 * (-1 - 0), 0.25 * (4 - 0)], { relative: 1e-6 });
    });

    it('logSoftmaxGradient of a confident row has its digits: minus the others at the target', async () => {
      const t = context.tensor([[40, 10, 9, 8.5]]);
      const actual = await logSoftmaxGradient(
        logSoftmax(t),
        [-1, 0, 0, 0].map((v) => v),
      ).data();
      const { gradient } = reference.crossEntropy([40, 10, 9, 8.5], [1, 4], [0], {});
      expectClose(actual, gradient, { relative: 3e-6 });
    });
  });

  describe('accuracy', () => {
    const sizes = [
      [8, 10],
      [4, 1000],
      [2, 50_257],
      [5, 257],
    ];
    const names: Distribution[] = [
      'N(0, 1)',
      'N(0, 5)',
      'peaked by 15',
      'peaked by 30',
      'offset by 1e4',
      'constant',
      '3e38',
    ];

    it.each(names)('focalLoss, entropyLoss, brierLoss of indices: %s', async (name) => {
      for (const [rows, classes] of sizes) {
        const { logits, targets } = makeRows(name, rows, classes, classes);
        const shape = [rows, classes];
        const t = context.tensor(logits, shape);
        const options = { reduction: 'none', gradient: true } as const;
        const whole: [string, LossResult, (row: number[], r: number) => of.RowResult][] = [
          ['focal', focalLoss(t, targets, options), (row, r) => of.focalRow(row, targets[r])],
          [
            'focal 0.5',
            focalLoss(t, targets, { ...options, gamma: 0.5 }),
            (row, r) => of.focalRow(row, targets[r], 0.5),
          ],
          ['entropy', entropyLoss(t, options), (row) => of.entropyRow(row)],
        ];
        // Its reference goes over all pairs of classes.
        if (classes < 2000)
          whole.push([
            'brier',
            brierLoss(t, targets, options),
            (row, r) => of.brierRow(row, of.oneHot(classes, targets[r])),
          ]);
        for (const [loss, actual, row] of whole) {
          const label = `${loss} of ${rows} x ${classes}`;
          const expected = of.framed(logits, shape, 1, { reduction: 'none' }, row);
          // Focal loss multiplies the rounding of 1 - p by 1 + gamma.
          const least = { relative: loss === 'focal' ? 3e-6 : 2e-6, absolute: 2 ** -126 };
          expectClose(await actual.loss.data(), expected.loss, least, label);
          // A constant row's entropy is at its most: all that is left of its gradient is rounding.
          if (loss === 'entropy' && expected.gradient.every((v) => Math.abs(v) < 1e-12)) continue;
          const gradient = await actual.gradient!.data();
          for (let r = 0; r < rows; r++) {
            const got = gradient.subarray(r * classes, (r + 1) * classes);
            const wanted = expected.gradient.subarray(r * classes, (r + 1) * classes);
            const scale = wanted.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
            expectClose(got, wanted, { absolute: 5e-6 * scale + 2 ** -126 }, label); // focal loss's may be subnormal
          }
        }
      }
    });

    it('klDivergence of hard targets is crossEntropy, confident rows too', async () => {
      for (const name of ['peaked by 30', 'offset by 1e4'] as const) {
        const { logits, targets } = makeRows(name, 4, 100, 9);
        const t = context.tensor(logits, [4, 100]);
        const hard = Float32Array.from({ length: 400 }, (_, i) => Number(i % 100 === targets[Math.floor(i / 100)]));
        const [kl, ce] = [
          klDivergence(t, hard, { reduction: 'none', gradient: true }),
          crossEntropy(t, targets, { reduction: 'none', gradient: true }),
        ];
        expectClose(await kl.loss.data(), await ce.loss.data(), { relative: 5e-7 });
        expectClose(await kl.gradient!.data(), await ce.gradient!.data(), { relative: 1e-6 });
      }
    });

    it('klDivergence near its least: off by less than 3e-7 of what cancels', async () => {
      const logits = normal(4 * 100, { sigma: 3, seed: 4 });
      const p = reference.softmax(logits, [4, 100]).map(Math.fround);
      const actual = await klDivergence(context.tensor(logits, [4, 100]), Array.from(p), {
        reduction: 'none',
      }).loss.data();
      const expected = of.framed(logits, [4, 100], 1, { reduction: 'none' }, (row, r) =>
        of.klRow(row, of.rowOf(p, [4, 100], 1, r)),
      );
      Array.from(expected.loss).forEach((loss, r) => {
        const sizes = of.rowOf(p, [4, 100], 1, r).reduce((a, v) => a + 2 * v * Math.abs(Math.log(v)), 0);
        expect(Math.abs(actual[r] - loss) / sizes).toBeLessThan(3e-7);
      });
    });

    it.each([1, 0.1, 1e-2, 1e-3, 1e-4])('jsDivergence of rows that differ by %d keeps its digits', async (by) => {
      const a = normal(4 * 50, { sigma: 3, seed: 2 });
      const b = a.map((v, i) => v + by * Math.sin(i));
      for (const offset of [0, 8]) {
        const moved = b.map((v) => v + offset); // rounded as float32 is, which the reference sees too
        const options = { reduction: 'none', gradient: true } as const;
        const actual = jsDivergence(context.tensor(a, [4, 50]), context.tensor(moved, [4, 50]), options);
        const expected = of.framed(a, [4, 50], 1, options, (row, r) => of.jsRow(row, of.rowOf(moved, [4, 50], 1, r)));
        // Behind an offset, the distances to the maxima are rounded; of small differences that is the more.
        const least = offset ? 1e-6 / by : 0;
        const label = `offset ${offset}`;
        expectClose(await actual.loss.data(), expected.loss, { relative: 4e-6 + least }, label);
        expectCloseByRow(await actual.gradients!.logitsA.data(), expected.gradient, 50, 1e-5 + least, label);
      }
    });

    it.each(names)('jsDivergence from N(0, 2): %s', async (name) => {
      for (const [rows, classes] of sizes) {
        const shape = [rows, classes];
        const { logits } = makeRows(name, rows, classes, classes);
        const b = normal(rows * classes, { sigma: 2, seed: 77 });
        const options = { reduction: 'none', gradient: true } as const;
        const { loss, gradients } = jsDivergence(context.tensor(logits, shape), context.tensor(b, shape), options);
        const expected = of.framed(logits, shape, 1, options, (row, r) => of.jsRow(row, of.rowOf(b, shape, 1, r)));
        const back = of.framed(b, shape, 1, options, (row, r) => of.jsRow(row, of.rowOf(logits, shape, 1, r)));
        const label = `${rows} x ${classes}`;
        expectClose(await loss.data(), expected.loss, { relative: 2e-6 }, label);
        expectCloseByRow(await gradients!.logitsA.data(), expected.gradient, classes, 5e-6, `${label}, by a`);
        expectCloseByRow(await gradients!.logitsB.data(), back.gradient, classes, 5e-6, `${label}, by b`);
      }
    });

    it('jsDivergence of equal rows is 0, of rows apart log 2', async () => {
      const equal = jsDivergence(x, x, { gradient: true });
      expect(await equal.loss.array()).toBe(0);
      expect(Array.from(await equal.gradients!.logitsB.data(), Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
      const [a, b] = [context.tensor([[0, masked]]), context.tensor([[masked, 0]])];
      expectClose(await jsDivergence(a, b).loss.data(), [Math.LN2], { relative: 1e-6 });
    });
  });
});
