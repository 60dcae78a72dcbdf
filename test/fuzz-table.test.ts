// Every operation of the table on random shapes, axes, dtypes and values: each result within the table's tolerance of float64, no word
// beside it changed, and nothing kept once it is disposed of. Several calls are under way at once, and their inputs are freed early.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext, type Tensor } from '../src/index.ts';
import { dtypesFor, variants } from './support/contexts.ts';
import { Guard } from './support/fuzz/guard.ts';
import { isWild, type Kind, type Matrix, matrices, valuesOf } from './support/fuzz/inputs.ts';
import { counted, holds } from './support/fuzz/run.ts';
import { holdResult, stored } from './support/hold.ts';
import { flushed } from './support/tolerances.ts';
import { type Entry, table } from './table.ts';

interface Call {
  readonly entry: number;
  readonly dtype: number;
  readonly x: Matrix;
  readonly guarded: boolean;
  readonly freed: boolean;
}

const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.record({
    entry: fc.nat(table.length - 1),
    dtype: fc.nat(3),
    x: matrices,
    guarded: fc.boolean(),
    freed: fc.boolean(),
  }),
  { minLength: 1, maxLength: 3 },
);

/** Features and embeddings are not logits: the references of their operations are of finite numbers. */
const takesFinite = /^(linear|triplet|contrastive|cosine)/;
/** Of vectors as short as PyTorch's 1e-12 is of them, two terms of cosineEmbeddingLoss cancel, and float32 keeps few digits. */
const kindFor = (name: string, kind: Kind): Kind =>
  (isWild(kind) && takesFinite.test(name)) || (kind === 'tiny' && name.startsWith('cosine')) ? 'N(0, 8)' : kind;

/**
 * What the table's tolerances leave out, because it hides in the shapes and values that its own tests have: results that only a subnormal
 * float32 holds may be 0; those near the largest may be infinite, for the way there is longer; and the log-probabilities that logSoftmaxGradient is given are rounded, by as much as a result may be large.
 */
const tolerancesOf = ({ name, tolerances }: Entry): Entry['tolerances'] => {
  const more = name === 'logSoftmaxGradient' ? 2 ** -20 : flushed;
  return Object.fromEntries(
    Object.entries(tolerances).map(([of, allowed]) => [
      of,
      (v, at) => (Math.abs(v) > 1e37 ? Number.POSITIVE_INFINITY : allowed(v, at) + more),
    ]),
  );
};

/** Programs in CI; a software GPU compiles each new kernel for some 50 ms. */
const runs: Record<string, number> = { cpu: 80, 'cpu, plain': 20, webgpu: 5 };

describe.each(Object.entries(variants))('%s', (variant, options) => {
  let context: Context;
  let guard: Guard;
  beforeAll(async () => {
    context = await createContext(options);
    guard = new Guard(context);
  });
  afterAll(() => guard.dispose());

  function begin({ entry: at, dtype: nth, x: matrix, guarded, freed }: Call) {
    const entry = table[at];
    const dtypes = dtypesFor(variant, entry.dtypes);
    const dtype = dtypes[nth % dtypes.length];
    const { shape, axis, kind } = matrix;
    const values = stored(valuesOf({ ...matrix, kind: kindFor(entry.name, kind) }, dtype), dtype);
    const x = guarded ? guard.place({ dtype, shape }, 'x', values) : context.tensor(values, shape, { dtype });
    guard.around = guarded;
    const results: Record<string, Tensor> = entry.call(x, axis);
    counted.calls++;
    if (freed && !Object.values(results).includes(x)) x.dispose();
    return async () => {
      const expected = entry.reference(values, shape, axis);
      for (const [name, wanted] of Object.entries(expected))
        await holdResult({ ...entry, tolerances: tolerancesOf(entry) }, name, results[name], wanted, shape[axis], axis);
    };
  }

  it(`random programs on ${variant}`, async () => {
    const program = async (some: Call[]) => {
      const before = context.memory();
      try {
        for (const look of some.map(begin)) await look();
        await guard.check();
      } finally {
        await guard.clear();
      }
      const { tensors, bytesInUse } = context.memory();
      expect({ tensors, bytesInUse }).toEqual({ tensors: before.tensors, bytesInUse: before.bytesInUse });
    };
    await holds(`random programs on ${variant}`, calls, program, runs[variant] ?? 1);
  }, 3_600_000);
});

afterAll(() => console.log(`${counted.calls} calls of the table's operations`));
