// The maximum of a row and the sum of exponentials beside it (src/cpu/row-sum.ts), of rows whose classes lie side by side, in one pass.
//
// Exponentials are taken times a power of two that the row's first classes give, so that its maximum need not be known; where a class is far
// above these, once more. A NaN makes the sum NaN; an infinite maximum is told by the caller.

import { exp4, leastOf, shiftOf } from './exp';
import { log1p } from './log1p';

/** The largest of the row that is not NaN. */
export let maximum: f32 = 0;
/** Its exponential, and the sum of those of the other classes: both times the power of two. */
export let top: f64 = 0;
export let others: f64 = 0;

// @ts-ignore: decorator
@inline
export function setSum(ofMaximum: f32, ofTop: f64, ofOthers: f64): void {
  maximum = ofMaximum;
  top = ofTop;
  others = ofOthers;
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

// @ts-ignore: decorator
@inline
function largest(m: v128): f32 {
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  return f32x4.extract_lane(m, 0);
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
  return largest(f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3)));
}

/** (x - from) / temperature, rounded once. */
// @ts-ignore: decorator
@inline
export function distances(x: v128, from: f32, inverseTemperature: f64): v128 {
  const m = f64x2.splat(from);
  const scale = f64x2.splat(inverseTemperature);
  const low = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(x), m), scale);
  const upper = f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 0));
  const high = f64x2.mul(f64x2.sub(upper, m), scale);
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
 * Where Kept is a float type, writes the exponentials and sums them all. Else each lane leaves out its largest so far, until all lanes are
 * seen: the maximum is then no part of what it must not drown. Where Scaled is a float type, exponentials are of distances from `about`.
 */
function pass<Kept, Scaled>(x: usize, e: usize, classes: usize, about: f32, inverse: f64): void {
  const power = isFloat<Scaled>() ? <f32>0 : nearest<f32>(about * 1.44269504);
  const shift = f32x4.splat(shiftOf(power));
  const least = f32x4.splat(leastOf(power));
  const end = x + (classes << 2);
  const toE = e - x;
  let most = f32x4.splat(-Infinity);
  let total: f64 = 0;
  while (end - x >= 16) {
    // 256 terms a block: 64 a lane.
    const stop = x + min<usize>(1024, (end - x) & ~15);
    let block = f32x4.splat(0);
    for (; x < stop; x += 16) {
      const v = v128.load(x);
      const u = isFloat<Kept>() ? v : f32x4.pmin(v, most);
      most = f32x4.pmax(most, v);
      const own = exp4(isFloat<Scaled>() ? distances(u, about, inverse) : u, shift, least);
      if (isFloat<Kept>()) v128.store(x + toE, own);
      block = f32x4.add(block, own);
    }
    total += sumOf(block);
  }
  if (x < end) {
    const left = (end - x) >> 2;
    const v = loadTail(x, left);
    const u = isFloat<Kept>() ? v : f32x4.pmin(v, most);
    most = f32x4.pmax(most, v);
    const own = exp4(isFloat<Scaled>() ? distances(u, about, inverse) : u, shift, least);
    if (isFloat<Kept>()) storeTail(x + toE, own, left);
    total += sumOf(own);
  }
  maximum = largest(most);
  const last = exp4(isFloat<Scaled>() ? distances(most, about, inverse) : most, shift, least);
  const tie = f32x4.eq(most, f32x4.splat(maximum));
  top = <f64>largest(v128.and(last, tie));
  if (isFloat<Kept>()) others = total - top;
  else others = total + sumOf(v128.andnot(last, tie)) + <f64>(popcnt(i32x4.bitmask(tie)) - 1) * top;
}

/** @param inverse of the temperature */
function sum<Kept>(x: usize, e: usize, classes: usize, inverse: f64): void {
  // A row that is written over cannot be read once more.
  const all = inverse != 1 || (isFloat<Kept>() && x == e);
  let about = rowMaximum(x, all ? classes : min<usize>(64, classes));
  // Larger logits would lose digits in exp4.
  if (inverse == 1 && abs(about) <= 8000) {
    pass<Kept, i32>(x, e, classes, about, 1);
    if (maximum - about <= 80) return;
    about = maximum;
  } else if (!all) about = rowMaximum(x, classes);
  pass<Kept, f32>(x, e, classes, about - about == 0 ? about : 0, inverse);
}

/** Sets `maximum`, `top` and `others`. */
export function rowSum(x: usize, classes: usize, inverse: f64): void {
  sum<i32>(x, x, classes, inverse);
}

/** The same, and writes the exponentials to `e`, which may be the row. Beside a large `top`, `others` has few digits. */
export function rowExponentials(x: usize, e: usize, classes: usize, inverse: f64): void {
  sum<f32>(x, e, classes, inverse);
}

/** Sums the exponentials that rowExponentials has written once more, where `top` has most of the sum, and `others` few digits. */
export function mendOthers(e: usize, classes: usize): void {
  if (top <= others) return;
  const t = f32x4.splat(<f32>top);
  const end = e + (classes << 2);
  let ties = i32x4.splat(0);
  let total: f64 = 0;
  while (end - e >= 16) {
    const stop = e + min<usize>(1024, (end - e) & ~15);
    let block = f32x4.splat(0);
    for (; e < stop; e += 16) {
      const v = v128.load(e);
      const tie = f32x4.eq(v, t);
      block = f32x4.add(block, v128.andnot(v, tie));
      ties = i32x4.sub(ties, tie);
    }
    total += sumOf(block);
  }
  let equals = sumOf(f32x4.convert_i32x4_s(ties));
  for (; e < end; e += 4) {
    const v = <f64>load<f32>(e);
    if (v == top) equals += 1;
    else total += v;
  }
  others = total + (equals - 1) * top;
}

/** The logarithm of the sum: the log-sum-exp less the maximum; NaN of a row without a softmax. */
export function logTotal(): f64 {
  return log1p(others / top) + 0 * <f64>maximum;
}
