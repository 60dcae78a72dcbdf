// The products of a linear head's gradients (src/cpu/add-product.ts), by tiles of two rows and sixteen columns: eight accumulators.

import { madd } from './madd';

/** So much of the depth at once: sixteen columns of it are packed side by side, 32 kB, and stay in the first cache. */
const most: usize = 512;
/** What is at the edge goes through here: two rows of sixteen. */
const edge: usize = 704;

// @ts-ignore: decorator
@inline
function add(to: usize, sum: v128): void {
  v128.store(to, f32x4.add(v128.load(to), sum));
}

/** Copies sixteen columns, or `count`, and zeros. */
function pack(b: usize, rowBytes: usize, packed: usize, depth: usize, count: usize): void {
  for (const end = packed + (depth << 6); packed < end; packed += 64) {
    if (count < 16) {
      memory.fill(packed, 0, 64);
      memory.copy(packed, b, count << 2);
    } else {
      v128.store(packed, v128.load(b));
      v128.store(packed, v128.load(b, 16), 16);
      v128.store(packed, v128.load(b, 32), 32);
      v128.store(packed, v128.load(b, 48), 48);
    }
    b += rowBytes;
  }
}

/**
 * sums (rows, columns) += a (rows, depth) x b (depth, columns).
 * @param aRow bytes from one row of `a` to the next, and `aStep` from one number of a row to the next
 * @param packed room for 32 kB
 */
export function addProduct(
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  sums: usize,
  rows: usize,
  depth: usize,
  columns: usize,
  packed: usize,
): void {
  const rowBytes = columns << 2;
  for (let first: usize = 0; first < depth; first += most) {
    const some = min(most, depth - first);
    for (let j: usize = 0; j < columns; j += 16) {
      const count = min<usize>(16, columns - j);
      pack(b + first * rowBytes + (j << 2), rowBytes, packed, some, count);
      for (let i: usize = 0; i < rows; i += 2) {
        let x = a + i * aRow + first * aStep;
        const two = i + 1 < rows;
        // Past the last row it stands again.
        const toY: usize = two ? aRow : 0;
        let s0 = f32x4.splat(0);
        let s1 = s0;
        let s2 = s0;
        let s3 = s0;
        let t0 = s0;
        let t1 = s0;
        let t2 = s0;
        let t3 = s0;
        for (let p = packed, end = packed + (some << 6); p < end; p += 64) {
          const u = v128.load32_splat(x);
          const v = v128.load32_splat(x + toY);
          const b0 = v128.load(p);
          s0 = madd(u, b0, s0);
          t0 = madd(v, b0, t0);
          const b1 = v128.load(p, 16);
          s1 = madd(u, b1, s1);
          t1 = madd(v, b1, t1);
          const b2 = v128.load(p, 32);
          s2 = madd(u, b2, s2);
          t2 = madd(v, b2, t2);
          const b3 = v128.load(p, 48);
          s3 = madd(u, b3, s3);
          t3 = madd(v, b3, t3);
          x += aStep;
        }
        const to = sums + i * rowBytes + (j << 2);
        const whole = count == 16 && two;
        const s = whole ? to : edge;
        const t = whole ? to + rowBytes : edge + 64;
        if (!whole) memory.fill(edge, 0, 128);
        add(s, s0);
        add(s + 16, s1);
        add(s + 32, s2);
        add(s + 48, s3);
        add(t, t0);
        add(t + 16, t1);
        add(t + 32, t2);
        add(t + 48, t3);
        if (whole) continue;
        for (let c: usize = 0; c < count << 2; c += 4) {
          store<f32>(to + c, load<f32>(to + c) + load<f32>(edge + c));
          if (two) store<f32>(to + rowBytes + c, load<f32>(to + rowBytes + c) + load<f32>(edge + 64 + c));
        }
      }
    }
  }
}
