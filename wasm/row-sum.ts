// The maximum of a row and the sum of exponentials beside it (src/cpu/row-sum.ts), of rows whose classes lie side by side.
//
// A NaN makes the sum NaN; an infinite maximum is told by the caller: beside it ties are counted as if it were finite.

import { exp4 } from './exp';
import { log1p } from './log1p';

/** What rowSum found. */
export let ties: f64 = 0;
export let rest: f64 = 0;

/** Of a row that was summed beside others. */
// @ts-ignore: decorator
@inline
export function setSum(ofTies: f64, ofRest: f64): void {
  ties = ofTies;
  rest = ofRest;
}

// @ts-ignore: decorator
@inline
export function loadTail(x: usize, count: usize): v128 {
  let v = v128.load32_lane(x, f32x4.splat(-Infinity), 0);
  if (count > 1) v = v128.load32_lane(x + 4, v, 1);
  if (count > 2) v = v128.load32_lane(x + 8, v, 2);
  return v;
}

// @ts-ignore: decorator
@inline
export function storeTail(x: usize, v: v128, count: usize): void {
  v128.store32_lane(x, v, 0);
  if (count > 1) v128.store32_lane(x + 4, v, 1);
  if (count > 2) v128.store32_lane(x + 8, v, 2);
}

/** The largest of a row that is not NaN. */
export function rowMaximum(x: usize, classes: usize): f32 {
  const end = x + (classes << 2);
  let m0 = f32x4.splat(-Infinity);
  let m1 = m0;
  let m2 = m0;
  let m3 = m0;
  for (const last = end - 64; x <= last && end - x >= 64; x += 64) {
    m0 = f32x4.pmax(m0, v128.load(x));
    m1 = f32x4.pmax(m1, v128.load(x, 16));
    m2 = f32x4.pmax(m2, v128.load(x, 32));
    m3 = f32x4.pmax(m3, v128.load(x, 48));
  }
  for (; end - x >= 16; x += 16) m0 = f32x4.pmax(m0, v128.load(x));
  if (x < end) m1 = f32x4.pmax(m1, loadTail(x, (end - x) >> 2));
  m0 = f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3));
  m0 = f32x4.pmax(m0, i32x4.shuffle(m0, m0, 2, 3, 0, 1));
  m0 = f32x4.pmax(m0, i32x4.shuffle(m0, m0, 1, 0, 3, 2));
  return f32x4.extract_lane(m0, 0);
}

/** (x - maximum) / temperature, rounded once. */
// @ts-ignore: decorator
@inline
export function distances<Scaled>(x: v128, maximum: v128, inverseTemperature: v128): v128 {
  if (!isFloat<Scaled>()) return f32x4.sub(x, maximum);
  const m = f64x2.promote_low_f32x4(maximum);
  const low = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(x), m), inverseTemperature);
  const upper = f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 0));
  const high = f64x2.mul(f64x2.sub(upper, m), inverseTemperature);
  return i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

// @ts-ignore: decorator
@inline
function sumOf(v: v128): f64 {
  return (
    <f64>f32x4.extract_lane(v, 0) +
    <f64>f32x4.extract_lane(v, 1) +
    (<f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3))
  );
}

/**
 * Sets `ties` and `rest`.
 * @param e where the exponentials are to be written, which may be the row; read only if Kept is a float type
 * Unless Apart is a float type, ties stay in the sum: a softmax has no use for them.
 */
// @ts-ignore: decorator
@inline
function sum<Kept, Scaled, Apart>(x: usize, e: usize, classes: usize, maximum: f32, inverseTemperature: f64): void {
  const m = f32x4.splat(maximum);
  const scale = f64x2.splat(inverseTemperature);
  const end = x + (classes << 2);
  const toE = e - x;
  let count = i32x4.splat(0);
  let total: f64 = 0;
  while (end - x >= 16) {
    // 256 terms a block: 64 a lane.
    const stop = x + min<usize>(1024, (end - x) & ~15);
    let block = f32x4.splat(0);
    for (; x < stop; x += 16) {
      const v = v128.load(x);
      const own = exp4(distances<Scaled>(v, m, scale));
      if (isFloat<Kept>()) v128.store(x + toE, own);
      if (isFloat<Apart>()) {
        // Of two zeros with different signs one stays in the sum, which is as good.
        const tie = i32x4.eq(v, m);
        block = f32x4.add(block, v128.andnot(own, tie));
        count = i32x4.sub(count, tie);
      } else block = f32x4.add(block, own);
    }
    total += sumOf(block);
  }
  if (x < end) {
    const left = (end - x) >> 2;
    const v = loadTail(x, left);
    const own = exp4(distances<Scaled>(v, m, scale));
    if (isFloat<Kept>()) storeTail(x + toE, own, left);
    if (isFloat<Apart>()) {
      const tie = i32x4.eq(v, m);
      total += sumOf(v128.andnot(own, tie));
      count = i32x4.sub(count, tie);
    } else total += sumOf(own);
  }
  rest = total;
  ties = <f64>(
    (i32x4.extract_lane(count, 0) +
      i32x4.extract_lane(count, 1) +
      i32x4.extract_lane(count, 2) +
      i32x4.extract_lane(count, 3))
  );
}

export function rowSum(x: usize, classes: usize, maximum: f32, inverseTemperature: f64): void {
  if (inverseTemperature == 1) sum<i32, i32, f32>(x, x, classes, maximum, 1);
  else sum<i32, f32, f32>(x, x, classes, maximum, inverseTemperature);
}

/** The same, and writes the exponentials. */
export function rowExponentials(x: usize, e: usize, classes: usize, maximum: f32, inverseTemperature: f64): void {
  if (inverseTemperature == 1) sum<f32, i32, f32>(x, e, classes, maximum, 1);
  else sum<f32, f32, f32>(x, e, classes, maximum, inverseTemperature);
}

/** Writes the exponentials. @returns their sum */
export function exponentialsOfSoftmax(x: usize, e: usize, classes: usize, maximum: f32): f64 {
  sum<f32, i32, i32>(x, e, classes, maximum, 1);
  return ties + rest;
}

/** log(ties + rest): the log-sum-exp less the maximum; NaN of a row without a softmax. */
export function logTotal(maximum: f32): f64 {
  return log1p(ties - 1 + rest) + 0 * <f64>maximum;
}
