// The product of a linear head under each plan: tiles at their edges, lanes along the depth, every dtype of the operands, and rows that are
// not finite.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Context,
  createContext,
  type DType,
  linear,
  linearCrossEntropy,
  quantizeRows,
  type Tensor,
} from '../src/index.ts';
import { expectClose, expectCloseByRow } from './support/close.ts';
import { dtypesFor, variants } from './support/contexts.ts';
import { linearCrossEntropyOf, logitsOf } from './support/linear-reference.ts';
import { normal } from './support/random.ts';

/** Rows, features, classes: one and two rows, whose lanes share a depth, and tiles of 8 x 4 and of 32 x 64 that are full, or are not. */
const sizes = [
  [1, 1, 1],
  [1, 300, 19],
  [2, 2052, 9],
  [3, 5, 4],
  [8, 16, 64],
  [32, 64, 64],
  [33, 257, 65],
  [70, 1030, 130],
] as const;

describe.each(Object.entries(variants))('%s', (variant, options) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext(options);
  });
  afterAll(() => context.dispose());

  const dtypes = dtypesFor(variant, ['float32', 'float16', 'int8']);
  it.each(sizes.flatMap((size) => dtypes.map((dtype) => [...size, dtype] as const)))(
    '%i rows of %i features, %i classes, a weight of %s',
    async (rows, depth, classes, dtype: DType) => {
      const x = context.tensor(normal(rows * depth, { seed: 1 }), [rows, depth]);
      const values = normal(classes * depth, { seed: 2 });
      const bias = normal(classes, { seed: 3 });
      const weight = context.tensor(values, [classes, depth], { dtype: dtype === 'int8' ? 'float32' : dtype });
      const whole = dtype === 'int8' ? quantizeRows(weight) : { weight, scales: undefined };
      const known = await whole.weight.data();
      const scales = await whole.scales?.data();
      const scaled = Float64Array.from(known, (w, i) => w * (scales?.[Math.floor(i / depth)] ?? 1));
      const expected = logitsOf(await x.data(), rows, { depth, weight: scaled, bias });
      const call = () => linear(x, whole.weight, { bias, scales: whole.scales });
      const made = call();
      const many = variant === 'webgpu' ? /^linear\// : /^linear_tiled\//;
      expect(made.plan).toMatch(!variant.startsWith('webgpu') ? /^cpu/ : rows > 2 ? many : /^linear_row\//);
      const logits = await made.data();
      expectCloseByRow(logits, expected, classes, 2e-6);
      expect(await call().data()).toEqual(logits);
    },
  );

  it.each([
    [5, 10, 2500],
    [9, 17, 70],
  ])('gradients of %i rows of %i features, %i classes', async (rows, depth, classes) => {
    const features = normal(rows * depth, { seed: 1 });
    const head = {
      depth,
      weight: normal(classes * depth, { seed: 2 }).map((v) => v / Math.sqrt(depth)),
      bias: normal(classes, { seed: 3 }),
    };
    const targets = Int32Array.from({ length: rows }, (_, r) => (r === 1 ? -100 : (r * 31) % classes));
    const expected = linearCrossEntropyOf(features, rows, head, { targets });
    const { loss, gradients } = linearCrossEntropy(
      context.tensor(features, [rows, depth]),
      context.tensor(head.weight, [classes, depth]),
      targets,
      { bias: head.bias, gradients: true },
    );
    expectClose(await loss.data(), expected.loss, { relative: 2e-6 });
    expectCloseByRow(await gradients!.features!.data(), expected.byFeatures, depth, 5e-6);
    const byWeight = await (gradients!.weight as Tensor).data();
    expectCloseByRow(byWeight, expected.byWeight, classes * depth, 5e-6);
  });

  it.each([2, 40])('of %i rows, one that is not finite touches no other', async (rows) => {
    const [depth, classes] = [70, 66];
    const values = normal(rows * depth, { seed: 1 });
    values[depth + 3] = Number.NaN;
    const weight = normal(classes * depth, { seed: 2 });
    const bias = normal(classes, { seed: 3 });
    bias[65] = Number.NEGATIVE_INFINITY;
    const logits = await linear(context.tensor(values, [rows, depth]), context.tensor(weight, [classes, depth]), {
      bias,
    }).data();
    const expected = logitsOf(values, rows, { depth, weight, bias });
    for (let r = 0; r < rows; r++) {
      if (r === 1) expect(logits.subarray(r * classes, (r + 1) * classes).every(Number.isNaN)).toBe(true);
      else expect(Math.abs(logits[r * classes] - expected[r * classes])).toBeLessThan(1e-4);
      if (r !== 1) expect(logits[r * classes + 65]).toBe(Number.NEGATIVE_INFINITY);
    }
  });
});
