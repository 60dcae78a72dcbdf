// src/cpu/linear.ts: features x weight transposed + bias, by tiles of two rows and four classes.
//
// Both operands run along the depth, so that nothing is packed: each of a tile's eight accumulators holds four partial sums, which are
// closed every 1024 elements, 256 a lane. Nine and more measured a third slower, V8 being out of registers.

import { madd } from './madd';

/** The sums of four vectors, as one. */
// @ts-ignore: decorator
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return f32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

/** What the second row of a tile sums to, or the second four classes. */
let second = f32x4.splat(0);

function twoRows(f: usize, g: usize, w: usize, w1: usize, w2: usize, w3: usize, depth: usize): v128 {
  const zero = f32x4.splat(0);
  const end = f + (depth << 2);
  let first = zero;
  second = zero;
  while (f < end) {
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    let b0 = zero;
    let b1 = zero;
    let b2 = zero;
    let b3 = zero;
    for (const stop = f + min<usize>(4096, (end - f) & ~15); f < stop; ) {
      const x = v128.load(f);
      const y = v128.load(g);
      const c0 = v128.load(w);
      a0 = madd(x, c0, a0);
      b0 = madd(y, c0, b0);
      const c1 = v128.load(w1);
      a1 = madd(x, c1, a1);
      b1 = madd(y, c1, b1);
      const c2 = v128.load(w2);
      a2 = madd(x, c2, a2);
      b2 = madd(y, c2, b2);
      const c3 = v128.load(w3);
      a3 = madd(x, c3, a3);
      b3 = madd(y, c3, b3);
      f += 16;
      g += 16;
      w += 16;
      w1 += 16;
      w2 += 16;
      w3 += 16;
    }
    for (const few = end - f < 16; few && f < end; ) {
      const x = v128.load32_zero(f);
      const y = v128.load32_zero(g);
      const c0 = v128.load32_zero(w);
      const c1 = v128.load32_zero(w1);
      const c2 = v128.load32_zero(w2);
      const c3 = v128.load32_zero(w3);
      a0 = madd(x, c0, a0);
      b0 = madd(y, c0, b0);
      a1 = madd(x, c1, a1);
      b1 = madd(y, c1, b1);
      a2 = madd(x, c2, a2);
      b2 = madd(y, c2, b2);
      a3 = madd(x, c3, a3);
      b3 = madd(y, c3, b3);
      f += 4;
      g += 4;
      w += 4;
      w1 += 4;
      w2 += 4;
      w3 += 4;
    }
    first = f32x4.add(first, sums(a0, a1, a2, a3));
    second = f32x4.add(second, sums(b0, b1, b2, b3));
  }
  return first;
}

/** A row and eight classes, the latter four in `second`: of four, a quarter more loads of features took an eighth more time. */
function eightOfRow(f: usize, w: usize, stride: usize, depth: usize): v128 {
  const zero = f32x4.splat(0);
  const end = f + (depth << 2);
  let first = zero;
  second = zero;
  let w2 = w + (stride << 1);
  let w4 = w + (stride << 2);
  let w6 = w2 + (stride << 2);
  while (f < end) {
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    let a4 = zero;
    let a5 = zero;
    let a6 = zero;
    let a7 = zero;
    for (const stop = f + min<usize>(4096, (end - f) & ~15); f < stop; ) {
      const x = v128.load(f);
      a0 = madd(x, v128.load(w), a0);
      a1 = madd(x, v128.load(w + stride), a1);
      a2 = madd(x, v128.load(w2), a2);
      a3 = madd(x, v128.load(w2 + stride), a3);
      a4 = madd(x, v128.load(w4), a4);
      a5 = madd(x, v128.load(w4 + stride), a5);
      a6 = madd(x, v128.load(w6), a6);
      a7 = madd(x, v128.load(w6 + stride), a7);
      f += 16;
      w += 16;
      w2 += 16;
      w4 += 16;
      w6 += 16;
    }
    for (const few = end - f < 16; few && f < end; ) {
      const x = v128.load32_zero(f);
      a0 = madd(x, v128.load32_zero(w), a0);
      a1 = madd(x, v128.load32_zero(w + stride), a1);
      a2 = madd(x, v128.load32_zero(w2), a2);
      a3 = madd(x, v128.load32_zero(w2 + stride), a3);
      a4 = madd(x, v128.load32_zero(w4), a4);
      a5 = madd(x, v128.load32_zero(w4 + stride), a5);
      a6 = madd(x, v128.load32_zero(w6), a6);
      a7 = madd(x, v128.load32_zero(w6 + stride), a7);
      f += 4;
      w += 4;
      w2 += 4;
      w4 += 4;
      w6 += 4;
    }
    first = f32x4.add(first, sums(a0, a1, a2, a3));
    second = f32x4.add(second, sums(a4, a5, a6, a7));
  }
  return first;
}

function fourOfRow(f: usize, w: usize, w1: usize, w2: usize, w3: usize, depth: usize): v128 {
  const zero = f32x4.splat(0);
  const end = f + (depth << 2);
  let sum = zero;
  while (f < end) {
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    // Two steps at a time: V8 unrolls loops of this size, and not those twice as long.
    for (const stop = f + min<usize>(4096, (end - f) & ~31); f < stop; ) {
      const x = v128.load(f);
      const y = v128.load(f, 16);
      a0 = madd(y, v128.load(w, 16), madd(x, v128.load(w), a0));
      a1 = madd(y, v128.load(w1, 16), madd(x, v128.load(w1), a1));
      a2 = madd(y, v128.load(w2, 16), madd(x, v128.load(w2), a2));
      a3 = madd(y, v128.load(w3, 16), madd(x, v128.load(w3), a3));
      f += 32;
      w += 32;
      w1 += 32;
      w2 += 32;
      w3 += 32;
    }
    for (const few = end - f < 32; few && f < end; ) {
      const x = v128.load32_zero(f);
      a0 = madd(x, v128.load32_zero(w), a0);
      a1 = madd(x, v128.load32_zero(w1), a1);
      a2 = madd(x, v128.load32_zero(w2), a2);
      a3 = madd(x, v128.load32_zero(w3), a3);
      f += 4;
      w += 4;
      w1 += 4;
      w2 += 4;
      w3 += 4;
    }
    sum = f32x4.add(sum, sums(a0, a1, a2, a3));
  }
  return sum;
}

/** @param strict all ones where a sum that is not finite is NaN, else 0 */
// @ts-ignore: decorator
@inline
function storeSome(to: usize, sum: v128, strict: v128, bias: v128, count: usize): void {
  const v = f32x4.add(f32x4.add(sum, v128.and(f32x4.sub(sum, sum), strict)), bias);
  if (count >= 4) {
    v128.store(to, v);
    return;
  }
  v128.store32_lane(to, v, 0);
  if (count > 1) v128.store32_lane(to + 4, v, 1);
  if (count > 2) v128.store32_lane(to + 8, v, 2);
}

/** The biases of up to four classes; `bias` is their address, or 0 for none. */
// @ts-ignore: decorator
@inline
function biasesOf(bias: usize, c: usize, count: usize): v128 {
  let b = f32x4.splat(0);
  if (!bias) return b;
  const at = bias + (c << 2);
  if (count >= 4) return v128.load(at);
  b = v128.load32_lane(at, b, 0);
  if (count > 1) b = v128.load32_lane(at + 4, b, 1);
  if (count > 2) b = v128.load32_lane(at + 8, b, 2);
  return b;
}

/**
 * @param bias its address, or 0 for none
 * @param isStrict whether a product that is not finite is NaN, so that only a bias masks a class
 */
export function linearRows(
  features: usize,
  weight: usize,
  bias: usize,
  result: usize,
  rows: usize,
  depth: usize,
  classes: usize,
  isStrict: bool,
): void {
  const strict = i32x4.splat(-(<i32>isStrict));
  const stride = depth << 2;
  let left: usize = 0;
  for (; rows == 1 && left + 8 <= classes; left += 8) {
    const to = result + (left << 2);
    storeSome(to, eightOfRow(features, weight + left * stride, stride, depth), strict, biasesOf(bias, left, 4), 4);
    storeSome(to + 16, second, strict, biasesOf(bias, left + 4, 4), 4);
  }
  // As many rows as stay in a cache of 256 kB while all classes pass by.
  const panel = max<usize>(2, (262144 / max<usize>(1, stride)) & ~1);
  for (let top: usize = 0; top < rows; top += panel) {
    const bottom = min(rows, top + panel);
    for (let c = left; c < classes; c += 4) {
      const count = min<usize>(4, classes - c);
      const w0 = weight + c * stride;
      // Past the last class, it stands again, and what it gives is not stored.
      const w1 = count > 1 ? w0 + stride : w0;
      const w2 = count > 2 ? w1 + stride : w1;
      const w3 = count > 3 ? w2 + stride : w2;
      const b = biasesOf(bias, c, count);
      let f = features + top * stride;
      let to = result + ((top * classes + c) << 2);
      let r = top;
      for (; r + 2 <= bottom; r += 2) {
        storeSome(to, twoRows(f, f + stride, w0, w1, w2, w3, depth), strict, b, count);
        storeSome(to + (classes << 2), second, strict, b, count);
        f += stride << 1;
        to += classes << 3;
      }
      if (r < bottom) storeSome(to, fourOfRow(f, w0, w1, w2, w3, depth), strict, b, count);
    }
  }
}
