// softmaxGradient and logSoftmaxGradient, beyond the table: of results as given, over their operands, and on confident rows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext, logSoftmax, logSoftmaxGradient, softmax, softmaxGradient } from '../src/index.ts';
import * as of from './support/class-losses-reference.ts';
import { expectClose } from './support/close.ts';
import { stored } from './support/hold.ts';
import { normal } from './support/random.ts';
import * as reference from './support/reference.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const make = (length: number, value: (i: number) => number) => Float32Array.from({ length }, (_, i) => value(i));

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

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
});
