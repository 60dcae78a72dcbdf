// The losses with a class axis but crossEntropy, beyond the table: their options together, and rows that weigh nothing, are masked or
// have no class.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  brierLoss,
  type Context,
  createContext,
  entropyGradient,
  entropyLoss,
  focalLoss,
  jsDivergence,
  klDivergence,
  type LossResult,
  multiMarginLoss,
  nllLoss,
  type Tensor,
} from '../src/index.ts';
import { withoutAxis } from '../src/rows.ts';
import { losses, ofIndices } from './support/class-losses.ts';
import * as of from './support/class-losses-reference.ts';
import { expectClose } from './support/close.ts';
import { stored } from './support/hold.ts';
import { normal } from './support/random.ts';

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: masked } = Number;
const make = (length: number, value: (i: number) => number) => Float32Array.from({ length }, (_, i) => value(i));
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

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
});
