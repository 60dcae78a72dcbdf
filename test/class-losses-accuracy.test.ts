// The losses with a class axis but crossEntropy: the rows on which plain formulas keep no digit.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  brierLoss,
  type Context,
  createContext,
  crossEntropy,
  entropyLoss,
  focalLoss,
  jsDivergence,
  klDivergence,
  type LossResult,
  type Tensor,
} from '../src/index.ts';
import * as of from './support/class-losses-reference.ts';
import { expectClose, expectCloseByRow } from './support/close.ts';
import { once } from './support/once.ts';
import { type Distribution, makeRows, normal } from './support/random.ts';
import * as reference from './support/reference.ts';

const { NEGATIVE_INFINITY: masked } = Number;
const expectedOnce = once<ReturnType<typeof of.framed>>();

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

  describe('accuracy', () => {
    /** [rows, classes]; a vocabulary only for the distributions that lose most on one, since the references take their time. */
    const sizesFor = (name: Distribution) => [
      [8, 10],
      [4, 1000],
      [5, 257],
      ...(['N(0, 5)', 'peaked by 30'].includes(name) ? [[2, 50_257]] : []),
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
      for (const [rows, classes] of sizesFor(name)) {
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
          const framed = () => of.framed(logits, shape, 1, { reduction: 'none' }, row);
          const expected = expectedOnce(`${name}: ${label}`, framed);
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
        // A class 32 or more below the maximum: half the last place of its distance in float32, where the kernels of crossEntropy work.
        expectClose(await kl.gradient!.data(), await ce.gradient!.data(), { relative: 2 ** -19 + 2e-7 });
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
      for (const [rows, classes] of sizesFor(name)) {
        const shape = [rows, classes];
        const { logits } = makeRows(name, rows, classes, classes);
        const b = normal(rows * classes, { sigma: 2, seed: 77 });
        const options = { reduction: 'none', gradient: true } as const;
        const { loss, gradients } = jsDivergence(context.tensor(logits, shape), context.tensor(b, shape), options);
        const label = `${rows} x ${classes}`;
        const framed = (own: Float32Array, other: Float32Array) =>
          of.framed(own, shape, 1, options, (row, r) => of.jsRow(row, of.rowOf(other, shape, 1, r)));
        const expected = expectedOnce(`jsDivergence ${name}: ${label}`, () => framed(logits, b));
        const back = expectedOnce(`jsDivergence ${name}: ${label}, back`, () => framed(b, logits));
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
