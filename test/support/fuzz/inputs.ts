// Random tensors: shapes, an axis, and values of every kind.
import fc from 'fast-check';
import type { DType } from '../../../src/index.ts';
import { normal, uniform } from '../random.ts';
import { lengths } from './run.ts';

export interface Matrix {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly kind: Kind;
  readonly seed: number;
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Values by kind, from a seed. `wild` ones may be anything; all others are numbers that a page might have. */
export const kinds = {
  'N(0, 1)': (n: number, seed: number) => normal(n, { seed }),
  'N(0, 8)': (n: number, seed: number) => normal(n, { sigma: 8, seed }),
  tiny: (n: number, seed: number) => normal(n, { sigma: 1e-4, seed }),
  ties: (n: number, seed: number) => normal(n, { sigma: 2, seed }).map(Math.round),
  constant: (n: number, seed: number) => new Float32Array(n).fill(normal(1, { sigma: 10, seed })[0]),
  'some wild': (n: number, seed: number) => wild(n, seed, 0.06),
  wild: (n: number, seed: number) => wild(n, seed, 0.5),
  masked: (n: number, seed: number) => wild(n, seed, 0.4, [-inf]),
} as const satisfies Record<string, (n: number, seed: number) => Float32Array>;

export type Kind = keyof typeof kinds;

export const isWild = (kind: Kind): boolean => /wild|masked/.test(kind);

const wildNumbers = [nan, inf, -inf, 3e38, -3e38, 3.4e38, 1e-45, -1e-45, 1e-39, 0, -0, 1e20, -1e20, 5000, -5000, 1e-20];

function wild(n: number, seed: number, share: number, among = wildNumbers): Float32Array {
  const next = uniform(seed);
  const plain = normal(n, { sigma: 3, seed: seed + 1 });
  return plain.map((v) => (next() < share ? among[Math.floor(next() * among.length)] : v));
}

const most = 3000;
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Shapes of rank 1 to 4 with an axis that is not empty, of up to 3000 elements; one in about twenty has no rows. */
export const matrices: fc.Arbitrary<Matrix> = fc
  .record({
    classes: lengths,
    others: fc.array(fc.oneof({ weight: 20, arbitrary: lengths }, { weight: 1, arbitrary: fc.constant(0) }), {
      maxLength: 3,
    }),
    at: fc.nat(3),
    kind: fc.constantFrom(...(Object.keys(kinds) as Kind[])),
    seed: fc.nat(2 ** 30),
  })
  .map(({ classes, others, at, kind, seed }) => {
    const fitting: number[] = [];
    for (const length of others) fitting.push(classes * sizeOf(fitting) * length <= most ? length : 2);
    const axis = Math.min(at, fitting.length);
    return { shape: [...fitting.slice(0, axis), classes, ...fitting.slice(axis)], axis, kind, seed };
  });

export function valuesOf({ shape, kind, seed }: Matrix, dtype: DType): Float32Array {
  const values = kinds[kind](sizeOf(shape), seed);
  if (dtype.startsWith('float')) return values;
  const largest = 2 ** 30;
  const whole = values.map((v) => (Number.isFinite(v) ? Math.round(Math.max(-largest, Math.min(largest, v))) : 7));
  return dtype === 'uint32' ? whole.map(Math.abs) : whole;
}
