// src/cpu/arg-extreme.ts, of floats whose classes lie side by side.

import { loadTail } from './row-sum';

/** The first class that equals a value; of a NaN, the first NaN. There is one. */
export function firstOf(x: usize, classes: usize, value: f32): i32 {
  const v = f32x4.splat(value);
  const nan = value != value;
  const end = x + (classes << 2);
  let at = x;
  for (; end - at >= 16; at += 16) {
    const w = v128.load(at);
    const found = nan ? f32x4.ne(w, w) : f32x4.eq(w, v);
    if (v128.any_true(found)) return <i32>((at - x) >> 2) + ctz(i32x4.bitmask(found));
  }
  for (; at < end; at += 4) {
    const w = load<f32>(at);
    if (nan ? w != w : w == value) break;
  }
  return <i32>((at - x) >> 2);
}

/** The largest of a row; NaN where it holds one. `sign` with the sign bit set turns to the least. */
// @ts-ignore: decorator
@inline
function extremeOf(x: usize, classes: usize, sign: v128): f32 {
  const end = x + (classes << 2);
  let m0 = f32x4.splat(-Infinity);
  let m1 = m0;
  let nan = i32x4.splat(0);
  for (; end - x >= 32; x += 32) {
    const v0 = v128.load(x);
    const v1 = v128.load(x, 16);
    nan = v128.or(nan, v128.or(f32x4.ne(v0, v0), f32x4.ne(v1, v1)));
    m0 = f32x4.pmax(m0, v128.xor(v0, sign));
    m1 = f32x4.pmax(m1, v128.xor(v1, sign));
  }
  for (; end - x >= 16; x += 16) {
    const v = v128.load(x);
    nan = v128.or(nan, f32x4.ne(v, v));
    m0 = f32x4.pmax(m0, v128.xor(v, sign));
  }
  m0 = f32x4.pmax(m0, m1);
  for (; x < end; x += 4) {
    const v = f32x4.splat(load<f32>(x));
    nan = v128.or(nan, f32x4.ne(v, v));
    m0 = f32x4.pmax(m0, v128.xor(v, sign));
  }
  if (v128.any_true(nan)) return NaN;
  m0 = f32x4.pmax(m0, i32x4.shuffle(m0, m0, 2, 3, 0, 1));
  m0 = f32x4.pmax(m0, i32x4.shuffle(m0, m0, 1, 0, 3, 2));
  return f32x4.extract_lane(v128.xor(m0, sign), 0);
}

export function argExtremeRows(x: usize, indices: usize, rows: usize, classes: usize, least: bool): void {
  const sign = i32x4.splat(least ? i32.MIN_VALUE : 0);
  for (; rows > 0; rows--) {
    store<i32>(indices, firstOf(x, classes, extremeOf(x, classes, sign)));
    x += classes << 2;
    indices += 4;
  }
}
