// log(1 + u) for u from 0 up, within 1e-10 of itself, which rounding to float32 does not see; two at a time.

// @ts-ignore: decorator
@inline
function times(z: v128, p: v128, c: f64): v128 {
  return f64x2.add(f64x2.splat(c), f64x2.mul(z, p));
}

// @ts-ignore: decorator
@inline
export function log1p2(u: v128): v128 {
  const one = f64x2.splat(1);
  const bits = f64x2.add(one, u);
  // 1 + u is 2^k times m, from the root of 1/2 up to that of 2.
  const k = i64x2.shr_s(i64x2.sub(bits, i64x2.splat(0x3fe6a09e667f3bcd)), 52);
  const m = i64x2.sub(bits, i64x2.shl(k, 52));
  // Where k is 0, u itself has the digits that 1 + u has lost.
  const small = i64x2.eq(k, i64x2.splat(0));
  const s = f64x2.div(
    v128.bitselect(u, f64x2.sub(m, one), small),
    f64x2.add(one, v128.bitselect(bits, m, small)),
  );
  const z = f64x2.mul(s, s);
  let p = times(z, f64x2.splat(1.0 / 11.0), 1.0 / 9.0);
  p = times(z, p, 1.0 / 7.0);
  p = times(z, p, 1.0 / 5.0);
  p = times(z, p, 1.0 / 3.0);
  p = times(z, p, 1.0);
  const whole = f64x2.mul(f64x2.convert_low_i32x4_s(i32x4.shuffle(k, k, 0, 2, 0, 2)), f64x2.splat(0.6931471805599453));
  const log = f64x2.add(whole, f64x2.mul(f64x2.add(s, s), p));
  return f64x2.add(log, f64x2.mul(f64x2.splat(0), u)); // a NaN stays one, and infinity is none
}

// @ts-ignore: decorator
@inline
export function log1p(u: f64): f64 {
  return f64x2.extract_lane(log1p2(f64x2.splat(u)), 0);
}
