// Comparisons of numbers that say what was wrong. NaN equals NaN, an infinity equals only itself, -0 equals 0.

type Numbers = ArrayLike<number>;

export interface Tolerance {
  /** Times the magnitude of what is expected. */
  relative?: number;
  absolute?: number;
  /** Times the float32 spacing at what is expected. */
  ulp?: number;
}

export interface Worst {
  index: number;
  got: number;
  expected: number;
  /** |got - expected|; Infinity where one is not finite and the other is something else. */
  error: number;
  /** error / |expected|; 0 where both are 0, Infinity where only the expected one is. */
  relative: number;
}

/** |got - expected|, with NaN and the infinities equal to themselves and infinitely far from all else. */
export function errorOf(got: number, expected: number): number {
  if (got === expected || (Number.isNaN(got) && Number.isNaN(expected))) return 0;
  return Number.isFinite(got) && Number.isFinite(expected) ? Math.abs(got - expected) : Number.POSITIVE_INFINITY;
}

/** The spacing of float32 numbers at x. */
export function ulpOf(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude >= 2 ** -126)) return 2 ** -149;
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--; // Math.log2 may round up to the next power
  return 2 ** (Math.min(exponent, 127) - 23);
}

function checkLengths(actual: Numbers, expected: Numbers, label: string) {
  if (actual.length !== expected.length) {
    throw new Error(`${label}expected ${expected.length} numbers, got ${actual.length}`);
  }
}

/** The worst of all, by error / allowed(expected, index); any miss where nothing is allowed is worse than the rest. */
function search(actual: Numbers, expected: Numbers, allowed: (expected: number, index: number) => number) {
  let worst = { index: 0, ratio: 0 };
  let first = -1;
  let bad = 0;
  for (let index = 0; index < expected.length; index++) {
    const error = errorOf(actual[index], expected[index]);
    if (error === 0) continue;
    const limit = allowed(expected[index], index);
    const ratio = error / limit;
    if (error > limit) {
      bad++;
      if (first < 0) first = index;
    }
    if (ratio > worst.ratio) worst = { index, ratio };
  }
  return { worst: worst.index, first, bad };
}

const describe = (actual: Numbers, expected: Numbers, index: number, limit: number) =>
  `[${index}] got ${actual[index]}, expected ${expected[index]}, error ${errorOf(actual[index], expected[index]).toExponential(3)}, ` +
  `allowed ${limit.toExponential(3)}`;

function report(
  actual: Numbers,
  expected: Numbers,
  label: string,
  allowed: (expected: number, index: number) => number,
) {
  checkLengths(actual, expected, label);
  const { worst, first, bad } = search(actual, expected, allowed);
  if (bad === 0) return;
  const line = (index: number) => describe(actual, expected, index, allowed(expected[index], index));
  const most = worst === first ? '' : `\n  worst ${line(worst)}`;
  throw new Error(`${label}${bad} of ${expected.length} numbers are off\n  first ${line(first)}${most}`);
}

const prefix = (label?: string) => (label ? `${label}: ` : '');

/** Every number within the largest of the tolerances named; equal where none is. */
export function expectClose(actual: Numbers, expected: Numbers, tolerance: Tolerance = {}, label?: string): void {
  const { relative = 0, absolute = 0, ulp = 0 } = tolerance;
  report(actual, expected, prefix(label), (value) =>
    Number.isFinite(value) ? Math.max(absolute, relative * Math.abs(value), ulp === 0 ? 0 : ulp * ulpOf(value)) : 0,
  );
}

/** The largest finite magnitude of each row of `classes` contiguous numbers. */
function scales(expected: Numbers, classes: number): Float64Array {
  const largest = new Float64Array(Math.ceil(expected.length / classes));
  for (let i = 0; i < expected.length; i++) {
    const row = Math.floor(i / classes);
    if (Number.isFinite(expected[i])) largest[row] = Math.max(largest[row], Math.abs(expected[i]));
  }
  return largest;
}

/** Every number within `tolerance` times the largest magnitude expected in its row. */
export function expectCloseByRow(
  actual: Numbers,
  expected: Numbers,
  classes: number,
  tolerance: number,
  label?: string,
): void {
  const largest = scales(expected, classes);
  report(actual, expected, prefix(label), (value, index) =>
    Number.isFinite(value) ? tolerance * largest[Math.floor(index / classes)] : 0,
  );
}

function farthest(actual: Numbers, expected: Numbers, scale: (index: number) => number): Worst {
  checkLengths(actual, expected, '');
  const limit = (value: number, index: number) => (Number.isFinite(value) ? scale(index) : 0);
  const { worst: index } = search(actual, expected, limit);
  const error = errorOf(actual[index], expected[index]);
  const relative = error === 0 ? 0 : error / limit(expected[index], index);
  return { index, got: actual[index], expected: expected[index], error, relative };
}

/** The number that is farthest off relative to what is expected, for reports. */
export const worst = (actual: Numbers, expected: Numbers): Worst =>
  farthest(actual, expected, (index) => Math.abs(expected[index]));

/** The same, relative to the largest magnitude expected in its row. */
export function worstByRow(actual: Numbers, expected: Numbers, classes: number): Worst {
  const largest = scales(expected, classes);
  return farthest(actual, expected, (index) => largest[Math.floor(index / classes)]);
}
