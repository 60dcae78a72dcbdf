// Holds the results of a table entry to its reference.

import { roundToHalf } from '../../src/float16.ts';
import type { Context, DType, Tensor } from '../../src/index.ts';
import { rowStart, rowsOf } from '../../src/rows.ts';
import type { Entry } from '../table.ts';
import { errorOf } from './close.ts';
import type { Place } from './tolerances.ts';

type Numbers = ArrayLike<number>;

/** What rounding to float16 adds: half a unit of its last place. */
const half = (expected: number) => Math.abs(expected) * 2 ** -11 + 2 ** -25;

/** Numbers as a tensor of the dtype holds them. */
export function stored(values: Numbers, dtype: DType): Float64Array {
  return Float64Array.from(values, dtype === 'float16' ? roundToHalf : dtype === 'float32' ? Math.fround : Math.round);
}

/** The scale of each element's row; all of a result that has lost the class axis is one row. */
function scalesOf(expected: Numbers, shape: readonly number[], axis: number): (i: number) => number {
  const magnitude = (i: number) => (Number.isFinite(expected[i]) ? Math.abs(expected[i]) : 0);
  if (shape.length === 0 || axis >= shape.length) {
    const largest = Array.from(expected, (_, i) => magnitude(i)).reduce((a, b) => Math.max(a, b), 0);
    return () => largest;
  }
  const rows = rowsOf(shape, axis);
  const scales = new Float64Array(expected.length);
  for (let r = 0; r < rows.count; r++) {
    const elements = Array.from({ length: rows.classes }, (_, c) => rowStart(rows, r) + c * rows.inner);
    const scale = elements.reduce((most, i) => Math.max(most, magnitude(i)), 0);
    for (const i of elements) scales[i] = scale;
  }
  return (i) => scales[i];
}

/** One result against its reference; throws with the first element that is off. */
export async function holdResult(
  entry: Entry,
  name: string,
  tensor: Tensor,
  expected: Numbers,
  classes: number,
  axis: number,
) {
  const actual = await tensor.data();
  if (actual.length !== expected.length)
    throw new Error(`${name}: ${actual.length} numbers, expected ${expected.length}`);
  const scale = scalesOf(expected, tensor.shape, axis);
  const slack = tensor.context.backend === 'cpu' ? 1 : 2;
  for (let i = 0; i < expected.length; i++) {
    const wanted = stored([expected[i]], tensor.dtype)[0]; // what is too large for the dtype is infinite in it
    const exact = Number.isFinite(wanted) ? expected[i] : wanted;
    const error = errorOf(actual[i], exact);
    if (error === 0) continue;
    const place: Place = { scale: scale(i), classes, slack };
    const allowed =
      (entry.tolerances[name]?.(expected[i], place) ?? 0) + (tensor.dtype === 'float16' ? half(expected[i]) : 0);
    if (error <= allowed) continue;
    throw new Error(
      `${entry.name}, ${name}[${i}] of ${tensor.dtype} [${tensor.shape}]: got ${actual[i]}, expected ${exact}, allowed ${allowed} (plan ${tensor.plan})`,
    );
  }
}

/** Of an array of values, the references that were made of it: each variant is held to the same. */
const known = new WeakMap<Numbers, Map<string, Record<string, Numbers>>>();

function expectedOf(entry: Entry, values: Numbers, x: Numbers, shape: readonly number[], axis: number, dtype: DType) {
  if (!known.has(values)) known.set(values, new Map());
  const made = known.get(values)!;
  const key = `${entry.name} ${dtype} ${shape} ${axis}`;
  if (!made.has(key)) made.set(key, entry.reference(x, shape, axis));
  return made.get(key)!;
}

/** Calls an entry on values, which do not change later, and holds every result to the reference. */
export async function hold(
  entry: Entry,
  context: Context,
  values: Numbers,
  shape: readonly number[],
  axis: number,
  dtype: DType = 'float32',
) {
  const x = stored(values, dtype);
  const tensor = context.tensor(x, shape, { dtype });
  const results = entry.call(tensor, axis);
  const expected = expectedOf(entry, values, x, shape, axis, dtype);
  for (const [name, wanted] of Object.entries(expected))
    await holdResult(entry, name, results[name], wanted, shape[axis], axis);
  for (const result of [tensor, ...Object.values(results)]) result.dispose();
}
