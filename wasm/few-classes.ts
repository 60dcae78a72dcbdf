// Rows of few classes, four at a time: a lane a row, so that nothing is reduced across lanes and no vector is half empty. Up to 32 classes of
// four rows lie transposed in the kernels' own memory (src/cpu/heap.ts begins behind it).

import { expBelow } from './exp';
import { log1p2 } from './log1p';

// Of sumsOfFew, one number a row, float64 but for the maxima: the sum of the exponentials beside a maximum, whose own is 1, and the logarithm of
// all of them.
export const maxima: usize = 16;
export const othersOfFew: usize = 640;
export const logsOfFew: usize = 672;
/** Class c of row r, or its exponential, at 16 c + 4 r. */
export const scratch: usize = 64;
/** What fits into the scratch, up to where whole vectors of a row are as good. */
export const few: usize = 32;

/** Transposes four rows into the scratch. @returns the largest of each; a NaN is passed over */
function gather(x: usize, y: usize, z: usize, w: usize, stride: usize): v128 {
  let m = f32x4.splat(-Infinity);
  let at: usize = 0;
  let to = scratch;
  for (; stride - at >= 16; at += 16) {
    const a = v128.load(x + at);
    const b = v128.load(y + at);
    const c = v128.load(z + at);
    const d = v128.load(w + at);
    const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
    const ba = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const dc = i32x4.shuffle(c, d, 2, 6, 3, 7);
    const c0 = i64x2.shuffle(ab, cd, 0, 2);
    const c1 = i64x2.shuffle(ab, cd, 1, 3);
    const c2 = i64x2.shuffle(ba, dc, 0, 2);
    const c3 = i64x2.shuffle(ba, dc, 1, 3);
    v128.store(to, c0);
    v128.store(to, c1, 16);
    v128.store(to, c2, 32);
    v128.store(to, c3, 48);
    m = f32x4.pmax(f32x4.pmax(f32x4.pmax(f32x4.pmax(m, c0), c1), c2), c3);
    to += 64;
  }
  for (; at < stride; at += 4) {
    let v = v128.load32_zero(x + at);
    v = v128.load32_lane(y + at, v, 1);
    v = v128.load32_lane(z + at, v, 2);
    v = v128.load32_lane(w + at, v, 3);
    v128.store(to, v);
    m = f32x4.pmax(m, v);
    to += 16;
  }
  return m;
}

/** Writes the scratch, each class by a factor a row, to four rows. */
export function scatter(x: usize, y: usize, z: usize, w: usize, stride: usize, factor: v128): void {
  let at: usize = 0;
  let from = scratch;
  for (; stride - at >= 16; at += 16) {
    const a = f32x4.mul(v128.load(from), factor);
    const b = f32x4.mul(v128.load(from, 16), factor);
    const c = f32x4.mul(v128.load(from, 32), factor);
    const d = f32x4.mul(v128.load(from, 48), factor);
    const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
    const ba = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const dc = i32x4.shuffle(c, d, 2, 6, 3, 7);
    v128.store(x + at, i64x2.shuffle(ab, cd, 0, 2));
    v128.store(y + at, i64x2.shuffle(ab, cd, 1, 3));
    v128.store(z + at, i64x2.shuffle(ba, dc, 0, 2));
    v128.store(w + at, i64x2.shuffle(ba, dc, 1, 3));
    from += 64;
  }
  for (; at < stride; at += 4) {
    const v = f32x4.mul(v128.load(from), factor);
    v128.store32_lane(x + at, v, 0);
    v128.store32_lane(y + at, v, 1);
    v128.store32_lane(z + at, v, 2);
    v128.store32_lane(w + at, v, 3);
    from += 16;
  }
}

/** Past the last row it stands again, and is written again: a row's answer does not depend on how many there are. */
export function softmaxOfFew(logits: usize, result: usize, rows: usize, classes: usize): void {
  const stride = classes << 2;
  const toResult = result - logits;
  for (let r: usize = 0; r < rows; r += 4) {
    const left = rows - r;
    const x = logits + r * stride;
    const y = left > 1 ? x + stride : x;
    const z = left > 2 ? y + stride : y;
    const w = left > 3 ? z + stride : z;
    const maximum = gather(x, y, z, w, stride);
    let total = f32x4.splat(0);
    for (let at = scratch, end = scratch + (stride << 2); at < end; at += 16) {
      const e = expBelow(f32x4.sub(v128.load(at), maximum));
      v128.store(at, e);
      total = f32x4.add(total, e);
    }
    const factor = f32x4.div(f32x4.splat(1), total);
    scatter(x + toResult, y + toResult, z + toResult, w + toResult, stride, factor);
  }
}

/** @returns the logarithms of two of the rows, after they and the sums of the others are stored */
// @ts-ignore: decorator
@inline
function finish(lane: usize, tiesLessOne: v128, rest: v128): v128 {
  const others = f64x2.add(f64x2.convert_low_i32x4_s(tiesLessOne), f64x2.promote_low_f32x4(rest));
  // NaN beside an infinite maximum.
  const logarithm = f64x2.add(
    log1p2(others),
    f64x2.mul(f64x2.splat(0), f64x2.promote_low_f32x4(v128.load64_zero(maxima + lane))),
  );
  v128.store(othersOfFew + (lane << 1), others);
  v128.store(logsOfFew + (lane << 1), logarithm);
  return f32x4.demote_f64x2_zero(logarithm);
}

/**
 * Of four rows: maxima, sums and logarithms; the exponentials are left in the scratch where Kept is a float type, else the logits.
 * @returns the logarithms
 */
// @ts-ignore: decorator
@inline
function sums<Kept>(x: usize, y: usize, z: usize, w: usize, stride: usize): v128 {
  const maximum = gather(x, y, z, w, stride);
  let rest = f32x4.splat(0);
  let ties = i32x4.splat(-1);
  for (let at = scratch, end = scratch + (stride << 2); at < end; at += 16) {
    const v = v128.load(at);
    const e = expBelow(f32x4.sub(v, maximum));
    if (isFloat<Kept>()) v128.store(at, e);
    const tie = i32x4.eq(v, maximum);
    rest = f32x4.add(rest, v128.andnot(e, tie));
    ties = i32x4.sub(ties, tie);
  }
  v128.store(maxima, maximum);
  const low = finish(0, ties, rest);
  const high = finish(8, i64x2.shuffle(ties, ties, 1, 0), i64x2.shuffle(rest, rest, 1, 0));
  return i64x2.shuffle(low, high, 0, 2);
}

export function sumsOfFew(x: usize, y: usize, z: usize, w: usize, stride: usize): void {
  sums<f32>(x, y, z, w, stride);
}

export function logSoftmaxOfFew(logits: usize, result: usize, rows: usize, classes: usize): void {
  const stride = classes << 2;
  const toResult = result - logits;
  for (let r: usize = 0; r < rows; r += 4) {
    const left = rows - r;
    const x = logits + r * stride;
    const y = left > 1 ? x + stride : x;
    const z = left > 2 ? y + stride : y;
    const w = left > 3 ? z + stride : z;
    const logarithm = sums<i32>(x, y, z, w, stride);
    const maximum = v128.load(maxima);
    for (let at = scratch, end = scratch + (stride << 2); at < end; at += 16) {
      v128.store(at, f32x4.sub(f32x4.sub(v128.load(at), maximum), logarithm));
    }
    scatter(x + toResult, y + toResult, z + toResult, w + toResult, stride, f32x4.splat(1));
  }
}

/** How many best classes topKOfFew keeps, of four rows, behind what crossEntropyRows keeps: for each its key, then its number. */
export const mostOfFew: usize = 8;
const bests: usize = 704;

/** The order of floats as integers: a NaN above all, zeros of both signs equal. */
// @ts-ignore: decorator
@inline
function keyOf(v: v128): v128 {
  const bits = f32x4.add(v, f32x4.splat(0)); // -0 becomes 0
  const key = v128.xor(bits, i32x4.shr_u(i32x4.shr_s(bits, 31), 1));
  return v128.bitselect(i32x4.splat(i32.MAX_VALUE), key, f32x4.ne(v, v));
}

/** Each class passes along the best so far, with no branch: none can foretell where it comes in. */
export function topKOfFew(x: usize, values: usize, indices: usize, rows: usize, classes: usize, k: usize): void {
  const stride = classes << 2;
  const end = bests + (k << 5);
  for (let r: usize = 0; r < rows; r += 4) {
    const left = min<usize>(4, rows - r);
    const row = x + r * stride;
    const second: usize = left > 1 ? stride : 0;
    const third = left > 2 ? stride << 1 : second;
    gather(row, row + second, row + third, row + (left > 3 ? stride + (stride << 1) : third), stride);
    for (let at = bests; at < end; at += 32) {
      v128.store(at, i32x4.splat(i32.MIN_VALUE));
      v128.store(at, i32x4.splat(0), 16);
    }
    for (let c: usize = 0; c < classes; c++) {
      let key = keyOf(v128.load(scratch + (c << 4)));
      let index = i32x4.splat(<i32>c);
      // From where a class comes in, all move on, equals too: they are in the order of their numbers.
      let above = i32x4.splat(0);
      for (let at = bests; at < end; at += 32) {
        const best = v128.load(at);
        const its = v128.load(at, 16);
        above = v128.or(above, i32x4.gt_s(key, best));
        v128.store(at, v128.bitselect(key, best, above));
        v128.store(at, v128.bitselect(index, its, above), 16);
        key = v128.bitselect(best, key, above);
        index = v128.bitselect(its, index, above);
      }
    }
    for (let j: usize = 0; j < left; j++) {
      for (let at = bests + 16 + (j << 2); at < end; at += 32) {
        const index = load<i32>(at);
        store<i32>(indices, index);
        store<f32>(values, load<f32>(row + j * stride + (<usize>index << 2)));
        indices += 4;
        values += 4;
      }
    }
  }
}
