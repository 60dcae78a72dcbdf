// Rows that are not finite, for every operation of the table, on every backend and variant: what they give, and that they
// leave their neighbours as they were.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext } from '../src/index.ts';
import { rowStart, rowsOf } from '../src/rows.ts';
import { dtypesFor, variants } from './support/contexts.ts';
import { hold } from './support/hold.ts';
import { normal } from './support/random.ts';
import { table } from './table.ts';

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: masked } = Number;

/** Each fills a row; classes beyond those listed repeat the last. */
const specialRows: Record<string, number[]> = {
  'a masked class': [masked, 1, 2, -1],
  'all masked but one': [masked, masked, 3, masked],
  'all masked': [masked],
  'a NaN': [0, nan, 2],
  'a NaN first': [nan, 0, 1],
  'NaN and +Infinity': [inf, nan, 0],
  '+Infinity': [1, inf, 0],
  '+Infinity and masked': [masked, inf, masked],
  'a constant 3e38': [3e38],
  'differences beyond float32': [3e38, -3e38, 1],
  'large, with a masked class': [3e38, masked, 3.3e38, 2.9e38],
  'an offset of 1e4 and a masked class': [10000, masked, 9999, 9998.5],
  'far apart, with a masked class': [5000, -5000, masked, 0],
  'the smallest numbers': [1e-45, -1e-45, 0],
  'zeros of both signs': [-0, 0, -0],
};

const classes = 37; // odd, more than 32 lanes, and fewer than 64
const rows = 2 * Object.keys(specialRows).length + 1;
const shape = [rows, classes];

const plain = normal(rows * classes, { sigma: 3, seed: 11 });

/** Plain rows with special ones between them; those of `only`, or all. */
function withSpecial(only = Object.keys(specialRows)): Float32Array {
  const x = plain.slice();
  Object.entries(specialRows).forEach(([name, row], i) => {
    if (!only.includes(name)) return;
    for (let c = 0; c < classes; c++) x[(2 * i + 1) * classes + c] = row[Math.min(c, row.length - 1)];
  });
  return x;
}

/** The same numbers with the class axis first. */
const transposed = (x: Float32Array) => Float32Array.from(x, (_, i) => x[(i % rows) * classes + Math.floor(i / rows)]);

/** Features and embeddings are not logits: linear below, the others in embedding-losses.test.ts. */
const ofClasses = table.filter(({ name }) => !/^(linear|triplet|contrastive|cosine)/.test(name));

describe.each(Object.entries(variants))('%s', (variant, options) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext(options);
  });
  afterAll(() => context.dispose());

  describe.each(ofClasses.map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
    it.each(dtypesFor(variant, entry.dtypes).filter((dtype) => dtype.startsWith('float')))(
      '%s: the last axis',
      async (dtype) => {
        await hold(entry, context, withSpecial(), shape, 1, dtype);
      },
    );

    it('the first axis', async () => {
      await hold(entry, context, transposed(withSpecial()), [classes, rows], 0);
    });

    it('each kind of row alone', async () => {
      for (const row of Object.values(specialRows)) {
        const alone = Float32Array.from({ length: 5 }, (_, c) => row[Math.min(c, row.length - 1)]);
        await hold(entry, context, alone, [1, 5], 1);
      }
    });
  });

  it('leave their neighbours as they were, to the bit', async () => {
    for (const entry of table.filter(({ name }) => !/linear|mean|sum|over its own|loss alone/.test(name))) {
      const [before, after] = [plain, withSpecial()].map((x) => entry.call(context.tensor(x, shape), 1));
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
});

describe('linear', () => {
  it.each(Object.entries(variants))('passes NaN and infinities on, in their rows alone: %s', async (_, options) => {
    const context = await createContext(options);
    const entry = table.find(({ name }) => name.startsWith('linear'))!;
    const x = normal(9 * 6, { seed: 3 });
    const place = rowsOf([9, 6], 1);
    x[rowStart(place, 1) + 2] = nan;
    x[rowStart(place, 4) + 5] = inf;
    x[rowStart(place, 8)] = masked;
    await hold(entry, context, x, [9, 6], 1);
    context.dispose();
  });
});
