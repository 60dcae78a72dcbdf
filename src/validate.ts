// Checks of what callers pass, and the messages they see: function, name, what was expected, what came.

import { ShapeError } from './errors.js';
import { sameShape } from './rows.js';

/** A value as an error message shows it; of arrays the outermost, for they may be in themselves. */
export function shown(value: unknown, depth = 0): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value))
    return value.length > 8 || depth > 3
      ? `an array of ${value.length}`
      : `[${value.map((inner) => shown(inner, depth + 1)).join(', ')}]`;
  if (typeof value === 'function') return 'a function';
  return value !== null && typeof value === 'object' ? (value.constructor?.name ?? 'an object') : String(value);
}

/** Options are a plain object, and none of them is unknown: a misspelt option would otherwise be ignored in silence. */
export function knownOptions(fn: string, options: unknown, names: readonly string[]): void {
  if (options === undefined) return;
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new TypeError(`${fn}: options must be an object, got ${shown(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new TypeError(`${fn}: unknown option "${name}"; it takes ${names.join(', ')}`);
  }
}

/** One of a few strings. */
export function choice<T extends string>(
  fn: string,
  name: string,
  value: unknown,
  choices: readonly T[],
  fallback: T,
): T {
  if (value === undefined) return fallback;
  if (choices.includes(value as T)) return value as T;
  const list = choices.map((c) => `"${c}"`);
  const last = list.pop();
  throw new TypeError(`${fn}: "${name}" must be ${list.join(', ')} or ${last}, got ${shown(value)}`);
}

export function flag(fn: string, name: string, value: unknown, fallback = false): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw new TypeError(`${fn}: "${name}" must be true or false, got ${shown(value)}`);
}

/**
 * A number for which `holds`; TypeError for another kind of thing, RangeError for a number that does not hold.
 * @param fallback where it is not given; null where it must be
 */
export function number(
  fn: string,
  name: string,
  value: unknown,
  fallback: number | null,
  expected = 'a finite number',
  holds: (value: number) => boolean = Number.isFinite,
): number {
  if (value === undefined && fallback !== null) return fallback;
  if (typeof value !== 'number') throw new TypeError(`${fn}: "${name}" must be ${expected}, got ${shown(value)}`);
  if (!holds(value)) throw new RangeError(`${fn}: "${name}" must be ${expected}, got ${value}`);
  return value;
}

/** An integer from 1, and to `most` where that is finite. */
export const count = (fn: string, name: string, value: unknown, fallback: number | null, most = Infinity): number =>
  number(
    fn,
    name,
    value,
    fallback,
    `an integer from 1${most < Infinity ? ` to ${most}` : ''}`,
    (v) => Number.isInteger(v) && v >= 1 && v <= most,
  );

/** A share of something. */
export const share = (fn: string, name: string, value: unknown, fallback: number): number =>
  number(fn, name, value, fallback, 'a number from 0 to 1', (v) => v >= 0 && v <= 1);

export const fromZero = (fn: string, name: string, value: unknown, fallback: number | null): number =>
  number(fn, name, value, fallback, 'a finite number from 0', (v) => v >= 0 && Number.isFinite(v));

export const positive = (fn: string, name: string, value: unknown, fallback: number): number =>
  number(fn, name, value, fallback, 'a positive finite number', (v) => v > 0 && Number.isFinite(v));

/** An axis of a shape as an index from 0; negative ones count from the end. The class axis may not be empty. */
export function classAxis(fn: string, shape: readonly number[], axis: unknown): number {
  const rank = shape.length;
  if (rank === 0) throw new RangeError(`${fn}: needs at least one axis, got a scalar`);
  const given = number(
    fn,
    'axis',
    axis,
    -1,
    `an integer from ${-rank} to ${rank - 1}`,
    (v) => Number.isInteger(v) && v >= -rank && v < rank,
  );
  const index = given < 0 ? given + rank : given;
  if (shape[index] === 0) throw new RangeError(`${fn}: the class axis ${given} of shape ${shown(shape)} is empty`);
  return index;
}

/** A list of axis lengths. */
export function validShape(fn: string, shape: unknown): number[] {
  if (!Array.isArray(shape)) throw new TypeError(`${fn}: "shape" must be an array of integers, got ${shown(shape)}`);
  for (const length of shape) {
    if (typeof length !== 'number') throw new TypeError(`${fn}: "shape" must hold integers, got ${shown(length)}`);
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`${fn}: "shape" must hold integers from 0, got ${shown(shape)}`);
    }
  }
  return [...shape];
}

export function expectShape(
  fn: string,
  name: string,
  shape: readonly number[],
  expected: readonly number[],
  why = '',
): void {
  if (sameShape(shape, expected)) return;
  throw new ShapeError(`${fn}: "${name}" must have shape ${shown(expected)}${why && `, ${why}`}, got ${shown(shape)}`);
}
