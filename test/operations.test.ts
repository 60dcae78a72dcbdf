// Every operation of the table, on every backend and variant, against float64: shapes at the edges of each variant, every axis,
// every dtype.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Context, createContext } from '../src/index.ts';
import { dtypesFor, variants } from './support/contexts.ts';
import { hold } from './support/hold.ts';
import { normal } from './support/random.ts';
import { table } from './table.ts';

/** [shape, axis]: the reason stands beside each. */
const shapes: [shape: number[], axis: number, why: string][] = [
  [[1, 1], 1, 'one class: probability 1, loss 0'],
  [[3, 7], 1, 'an odd row, fewer classes than lanes'],
  [[5, 8], 1, 'as many classes as lanes'],
  [[9, 9], 1, 'one more than lanes; rows past a workgroup of four and of eight'],
  [[2, 64], 1, 'as many classes as the longest lane group'],
  [[3, 65], 1, 'one more'],
  [[65, 3], 1, 'one row more than a barrier-free workgroup'],
  [[5, 257], 1, 'past a block of the sum, on one lane'],
  [[2, 1025], 1, 'past several blocks, odd'],
  [[13], 0, 'one row without leading axes'],
  [[6, 5], 0, 'the first axis'],
  [[2, 3, 4], 1, 'a middle axis'],
  [[2, 3, 2, 3], 1, 'images: [n, classes, h, w]'],
  [[3, 1, 5, 2], 3, 'several leading axes'],
  [[0, 4], 1, 'no rows'],
  [[2, 3, 0], 1, 'no rows, behind the class axis'],
];

describe.each(Object.entries(variants))('%s', (variant, options) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext(options);
  });
  afterAll(() => context.dispose());

  describe.each(table.map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
    it.each(dtypesFor(variant, entry.dtypes))('%s', async (dtype) => {
      for (const [shape, axis] of shapes) {
        const size = shape.reduce((a, b) => a * b, 1);
        // Wide enough that integers and float16 differ from class to class, and tie now and then.
        const values = normal(size, { sigma: 4, seed: size + axis }).map((v) => (dtype === 'uint32' ? Math.abs(v) : v));
        await hold(entry, context, values, shape, axis, dtype);
      }
      await context.finished();
    });
  });
});
