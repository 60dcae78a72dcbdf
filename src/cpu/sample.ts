// Twin of shaders/sample.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { exponentialOf, philox } from './random.js';
import { isUndefined, type RowSum, rowMaximum } from './row-sum.js';

export interface Sampling {
  readonly seed: { readonly low: number; readonly high: number };
  readonly temperature: number;
  /** How many of the most probable classes to keep; undefined for all. */
  readonly topK: number | undefined;
  /** The mass of the most probable classes to keep; undefined for all. */
  readonly topP: number | undefined;
  /** The distance from the maximum, divided by the temperature, beyond which minP drops a class. */
  readonly farthest: number;
}

export function sampleRows(logits: Values, samples: Values, rows: Rows, sampling: Sampling): void {
  for (let r = 0; r < rows.count; r++) samples[r] = sampleRow(logits, rowStart(rows, r), rows, r, sampling);
}

function sampleRow(logits: Values, start: number, rows: Rows, r: number, sampling: Sampling): number {
  const { classes, inner } = rows;
  const { seed, temperature, farthest } = sampling;
  const row = rowMaximum(logits, start, inner, classes);
  if (isUndefined(row)) return -1;
  const kept = keptOf(logits, start, rows, row, sampling);
  const words = new Uint32Array(4);
  let best = Number.NEGATIVE_INFINITY;
  let drawn = -1;
  let most = 2 ** 32; // words above it are noise below `best`: most classes need no logarithm
  for (let c = 0; c < classes; c++) {
    if (c % 4 === 0) {
      words.set([c / 4, r, 0, 0]);
      philox(words, seed.low, seed.high);
    }
    if (words[c % 4] > most) continue;
    const x = logits[start + c * inner];
    const d = (row.maximum - x) / temperature;
    if (x === Number.NEGATIVE_INFINITY || d > farthest || (kept && !isKept(kept.keys[c], c, kept.last))) continue;
    const noisy = -(d + Math.log(exponentialOf(words[c % 4])));
    if (noisy <= best) continue;
    [best, drawn] = [noisy, c];
    most = 2 ** 32 * 1.001 * Math.exp(-best); // -log(1 - v) > v
  }
  return drawn;
}

/** A class's place in the order (logit down, index up). */
interface Place {
  readonly key: number;
  readonly index: number;
}

const isKept = (key: number, c: number, last: Place): boolean =>
  key > last.key || (key === last.key && c <= last.index);

/** The keys of the row's logits, and the last class that topK and topP keep; null where they keep all. */
function keptOf(
  logits: Values,
  start: number,
  { classes, inner }: Rows,
  { maximum }: RowSum,
  { temperature, topK, topP }: Sampling,
): { keys: Uint32Array; last: Place } | null {
  if (topK === undefined && topP === undefined) return null;
  const row = new Float32Array(classes);
  for (let c = 0; c < classes; c++) row[c] = logits[start + c * inner];
  const keys = new Uint32Array(row.buffer).map(orderKey);
  let last: Place = { key: 0, index: classes };
  if (topK !== undefined) last = lastKept(keys, new Float64Array(classes).fill(1), topK, last);
  if (topP !== undefined) {
    const weights = new Float64Array(classes);
    let whole = 0;
    for (let c = 0; c < classes; c++) {
      if (isKept(keys[c], c, last)) whole += weights[c] = Math.exp((row[c] - maximum) / temperature);
    }
    last = lastKept(keys, weights, topP * whole, last);
  }
  return { keys, last };
}

/** The bits of a float as an integer in the order of its values; -0 equals 0. */
function orderKey(bits: number): number {
  if ((bits & 0x7fffffff) === 0) return 0x80000000;
  return (bits >>> 31 ? ~bits : bits | 0x80000000) >>> 0;
}

/** Among the classes up to `last`, the one at which their weights reach a goal. */
function lastKept(keys: Uint32Array, weights: Float64Array, goal: number, last: Place): Place {
  const { key, above } = descend(keys, weights, goal, last);
  let reached = above;
  for (let c = 0; c < keys.length; c++) {
    if (keys[c] !== key || !isKept(key, c, last)) continue;
    reached += weights[c];
    if (reached >= goal) return { key, index: c };
  }
  return { key, index: keys.length };
}

/** The largest key at and above which classes weigh as much as the goal, its highest byte first; and what larger keys weigh. */
function descend(keys: Uint32Array, weights: Float64Array, goal: number, last: Place): { key: number; above: number } {
  let [key, above] = [0, 0];
  for (let shift = 24; shift >= 0; shift -= 8) {
    const sums = new Float64Array(256);
    for (let c = 0; c < keys.length; c++) {
      if ((keys[c] ^ key) >>> shift < 256 && isKept(keys[c], c, last)) sums[(keys[c] >>> shift) & 255] += weights[c];
    }
    let digit = 255;
    while (digit > 0 && above + sums[digit] < goal) above += sums[digit--];
    key = (key | (digit << shift)) >>> 0;
  }
  return { key, above };
}
