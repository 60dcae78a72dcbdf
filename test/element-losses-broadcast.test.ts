// Elementwise losses: weights that are broadcast to the input.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binaryCrossEntropy, type Context, createContext, meanSquaredError } from '../src/index.ts';
import { ones } from './support/element-losses.ts';
import { normal } from './support/random.ts';

const any = (value: unknown) => value as never;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  describe('broadcasting', () => {
    /** [shape of the input, shape of the operand]. */
    const shapes: [number[], number[]][] = [
      [[2, 3], []],
      [[2, 3], [1]],
      [[2, 3], [3]],
      [
        [2, 3],
        [2, 1],
      ],
      [
        [2, 3],
        [1, 3],
      ],
      [
        [2, 3],
        [2, 3],
      ],
      [[3, 3], [3]],
      [
        [2, 3, 4],
        [3, 1],
      ],
      [
        [2, 3, 4],
        [2, 1, 4],
      ],
      [
        [2, 3, 4],
        [2, 3, 1],
      ],
      [
        [2, 1, 4],
        [1, 4],
      ],
      [
        [2, 1, 4, 3],
        [2, 1, 1, 3],
      ],
      [
        [2, 3, 2, 3, 2, 3, 2],
        [2, 1, 2, 1, 2, 1, 2],
      ],
      [[], []],
    ];
    const count = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
    /** The operand in the shape of the input. */
    const spread = (values: Float32Array, own: number[], shape: number[]) =>
      Float32Array.from({ length: count(shape) }, (_, element) => {
        let [rest, stride, index] = [element, 1, 0];
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          const length = own[axis - shape.length + own.length] ?? 1;
          if (length > 1) index += (rest % shape[axis]) * stride;
          stride *= length;
          rest = Math.floor(rest / shape[axis]);
        }
        return values[index];
      });

    it.each(shapes)('over %j, of %j', async (shape, own) => {
      const size = count(shape);
      const x = context.tensor(normal(size, { seed: 3 }), shape);
      const t = context.tensor(
        Float32Array.from({ length: size }, (_, i) => (i % 3) / 2),
        shape,
      );
      const values = Float32Array.from({ length: count(own) }, (_, i) => 1 + i / 4);
      const full = context.tensor(spread(values, own, shape), shape);
      const tensor = context.tensor(values, own);
      const given: [object, object][] = [
        [{ weights: tensor }, { weights: full }],
        [{ posWeight: tensor }, { posWeight: full }],
        [
          { weights: tensor, posWeight: [0.5] },
          { weights: full, posWeight: 0.5 },
        ],
        [
          { weights: [2], posWeight: tensor },
          { weights: 2, posWeight: full },
        ],
        [
          { weights: tensor, posWeight: tensor },
          { weights: full, posWeight: full },
        ],
      ];
      if (shape.length === 0) given.splice(2, 2); // where [2] is one axis too many
      for (const [broadcast, plain] of given) {
        const [a, b] = [broadcast, plain].map((options) =>
          binaryCrossEntropy(x, t, { ...options, reduction: 'none', gradient: true }),
        );
        expect(await a.loss.data()).toEqual(await b.loss.data());
        expect(await a.gradient!.data()).toEqual(await b.gradient!.data());
      }
    });

    it('arrays, flat and nested, and numbers', async () => {
      const x = context.tensor(normal(6), [2, 3]);
      const sum = (weights: never) => meanSquaredError(x, ones(6), { reduction: 'none', weights }).loss.data();
      const rows = await sum(any([[2], [3]]));
      expect(await sum(any([2, 2, 2, 3, 3, 3]))).toEqual(rows);
      expect(await sum(any(Float32Array.of(2, 2, 2, 3, 3, 3)))).toEqual(rows);
      expect(
        await sum(
          any([
            [2, 2, 2],
            [3, 3, 3],
          ]),
        ),
      ).toEqual(rows);
      expect(await sum(any([5, 5, 5]))).toEqual(await sum(any(5)));
    });
  });
});
