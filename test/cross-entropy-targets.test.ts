// Targets of crossEntropy in a tensor, which only the GPU can see: classes that are none, and `validate`.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { argmax, type Context, createContext, crossEntropy, type Tensor } from '../src/index.ts';
import { errorOf } from './support/errors.ts';

const { NaN: nan } = Number;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  describe('class indices in a tensor', () => {
    const logits = [
      [1, 2, 3],
      [3, 1, 0],
      [0, 0, 1],
      [2, 2, 2],
      [0, 5, 1],
    ];
    const rows = (values: ArrayLike<number>) =>
      Array.from({ length: 5 }, (_, r) => Array.from(values).slice(3 * r, 3 * r + 3));
    let x: Tensor;
    beforeEach(() => {
      x = context.tensor(logits);
    });

    it('that are no class give NaN in their rows, and nowhere else', async () => {
      // Far and just out of range, below 0, and one that is ignored.
      const targets = context.tensor(Int32Array.of(1, 3, -1, -100, 2 ** 31 - 1));
      const right = crossEntropy(x, [1, 0, 0, -100, 0], { reduction: 'none', gradient: true });
      const wrong = crossEntropy(x, targets, { reduction: 'none', gradient: true });
      const [losses, expected] = [await wrong.loss.data(), await right.loss.data()];
      expect(Array.from(losses)).toEqual([expected[0], nan, nan, 0, nan]);
      const [slopes, expectedSlopes] = [rows(await wrong.gradient!.data()), rows(await right.gradient!.data())];
      const nothing = [nan, nan, nan];
      expect(slopes).toEqual([expectedSlopes[0], nothing, nothing, [0, 0, 0], nothing]);
      expect(await crossEntropy(x, targets).loss.array()).toBeNaN();
      expect(await crossEntropy(x, targets, { reduction: 'sum' }).loss.array()).toBeNaN();
      await context.finished(); // none of it is an error
    });

    it('that are no class are found with `validate`', async () => {
      const targets = context.tensor(Int32Array.of(1, 0, 3, -100, 7));
      const message = 'crossEntropy: "targets" must be classes from 0 to 2, or -100 to be ignored, got 3 in row 2';
      const before = context.memory();
      if (backend === 'cpu') {
        expect(() => crossEntropy(x, targets, { validate: true, gradientOut: x })).toThrow(new RangeError(message));
        expect(context.memory()).toEqual(before);
        expect(await x.array()).toEqual(logits);
        return;
      }
      const { loss, gradient } = crossEntropy(x, targets, { validate: true, gradient: true });
      const derived = argmax(gradient!);
      for (const result of [loss, gradient!, derived, loss]) {
        const error = await errorOf(result.data());
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toBe(message);
      }
      expect(await x.array()).toEqual(logits); // which was only read
      await context.finished();
      void crossEntropy(x, targets, { validate: true });
      await expect(context.finished()).rejects.toThrow(new RangeError(message)); // where nobody reads
      await context.finished();
    });

    it('are checked as they were at the call', async () => {
      const targets = context.tensor(Int32Array.of(0, 1, 2, 5, 0));
      const { loss } = crossEntropy(x, targets, { validate: true, ignoreIndex: 5 });
      const bad = backend === 'webgpu' ? crossEntropy(x, targets, { validate: true }).loss : null;
      targets.dispose();
      for (let i = 0; i < 4; i++) context.tensor(Int32Array.of(9, 9, 9, 9, 9)); // one of them gets the buffer
      expect(await loss.array()).toBeGreaterThan(0);
      if (bad) await expect(bad.data()).rejects.toThrow('got 5 in row 3');
    });

    it('spoil a tensor that was given for the gradient only until it is written again', async () => {
      const bad = context.tensor(Int32Array.of(7, 0, 0, 0, 0));
      const gradientOut = context.tensor(logits);
      const expected = await crossEntropy(x, [2, 0, 0, 0, 0], { gradient: true }).gradient!.data();
      const failing = await errorOf(() => crossEntropy(x, bad, { validate: true, gradientOut }).loss.data());
      expect(failing).toBeInstanceOf(RangeError);
      crossEntropy(x, [2, 0, 0, 0, 0], { gradientOut });
      expect(await gradientOut.data()).toEqual(expected);
    });
  });
});
