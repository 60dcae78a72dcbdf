// Every operation of the table, on every backend and variant, against float64: shapes at the edges of each variant, every axis,
// every dtype; and rows that are not finite: what they give, and that they leave their neighbours as they were. In one file, since most of
// its time goes into compiling for a software adapter, and a context compiles a kernel once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext, type DType } from '../src/index.ts';
import { rowStart, rowsOf } from '../src/rows.ts';
import { dtypesFor, variants } from './support/contexts.ts';
import { hold } from './support/hold.ts';
import { once } from './support/once.ts';
import { normal } from './support/random.ts';
import { plainRows, specialRows, specialShape, transposed, withSpecialRows } from './support/special-rows.ts';
import { type Entry, table } from './table.ts';

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

const valuesOf = once<Float32Array>();
/** Wide enough that integers and float16 differ from class to class, and tie now and then. */
const wide = (size: number, seed: number, dtype: DType) =>
  valuesOf(`${size} ${seed} ${dtype === 'uint32'}`, () =>
    normal(size, { sigma: 4, seed }).map((v) => (dtype === 'uint32' ? Math.abs(v) : v)),
  );

const [rows, classes] = specialShape;
const special = withSpecialRows();
const specialColumns = transposed(special);
const specialAlone = Object.values(specialRows).map((row) =>
  Float32Array.from({ length: 5 }, (_, c) => row[Math.min(c, row.length - 1)]),
);

/** Features and embeddings are not logits: of linear, see below; of the others, embedding-losses.test.ts. */
const takesLogits = ({ name }: Entry) => !/^(linear|triplet|contrastive|cosine)/.test(name);

describe.each(Object.entries(variants))('%s', (variant, options) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext(options);
  });
  afterAll(() => context.dispose());

  describe.each(table.map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
    it.each(dtypesFor(variant, entry.dtypes))('%s', async (dtype) => {
      const held = shapes.map(([shape, axis]) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return hold(entry, context, wide(size, size + axis, dtype), shape, axis, dtype);
      });
      await Promise.all(held);
      await context.finished();
    });

    if (!takesLogits(entry)) return;
    it.each(dtypesFor(variant, entry.dtypes).filter((dtype) => dtype.startsWith('float')))(
      'special rows, %s',
      async (dtype) => {
        await hold(entry, context, special, specialShape, 1, dtype);
      },
    );

    it('special rows along the first axis', async () => {
      await hold(entry, context, specialColumns, [classes, rows], 0);
    });

    it('each kind of special row alone', async () => {
      await Promise.all(specialAlone.map((row) => hold(entry, context, row, [1, 5], 1)));
    });
  });

  it('special rows leave their neighbours as they were, to the bit', async () => {
    for (const entry of table.filter(({ name }) => !/linear|mean|sum|over its own|loss alone/.test(name))) {
      const [before, after] = [plainRows, special].map((x) => entry.call(context.tensor(x, specialShape), 1));
      for (const name of Object.keys(before)) {
        const [was, is] = [await before[name].data(), await after[name].data()];
        const perRow = was.length / rows;
        for (let r = 0; r < rows; r += 2) {
          const [a, b] = [was, is].map((values) => Array.from(values.subarray(r * perRow, (r + 1) * perRow)));
          expect(b, `${entry.name}, ${name}, row ${r}`).toEqual(a);
        }
      }
    }
  });

  it('linear passes NaN and infinities on, in their rows alone', async () => {
    const entry = table.find(({ name }) => name.startsWith('linear'))!;
    const x = normal(9 * 6, { seed: 3 });
    const place = rowsOf([9, 6], 1);
    x[rowStart(place, 1) + 2] = Number.NaN;
    x[rowStart(place, 4) + 5] = Number.POSITIVE_INFINITY;
    x[rowStart(place, 8)] = Number.NEGATIVE_INFINITY;
    await hold(entry, context, x, [9, 6], 1);
  });
});
