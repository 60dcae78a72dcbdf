// exp, four at a time (shaders/base/exp.wgsl, with fewer steps), times a power of two of the caller's, 2^-k: so that exponentials of a row
// fit into floats with nothing subtracted from its logits, which would round them.

import { madd } from './madd';

// Adding it rounds to an integer, which then stands in the last bits, with the exponent's bias of 127.
const rounder: f32 = 12582912.0 + 127.0;

/** What exp4 is told of an integer k. */
// @ts-ignore: decorator
@inline
export function shiftOf(k: f32): f32 {
  return rounder - k;
}

/** From here down exp4 is exactly 0. */
// @ts-ignore: decorator
@inline
export function leastOf(k: f32): f32 {
  return (k - 127) * 0.6931472;
}

/** Within about 1 unit of the last place, for x up to 88 above k log 2 and magnitudes up to 8192; a NaN stays one. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128, shift: v128, least: v128): v128 {
  const d = f32x4.pmax(x, least); // the other way round, it would lose NaN
  const t = madd(d, f32x4.splat(1.44269504), shift);
  const n = f32x4.sub(t, shift);
  const r = madd(n, f32x4.splat(2.1219444e-4), madd(n, f32x4.splat(-0.693359375), d));
  // Even and odd powers apart, so that a step waits for fewer before it.
  const r2 = f32x4.mul(r, r);
  const low = madd(r, f32x4.splat(0.1666654497385025), f32x4.splat(0.5));
  const mid = madd(r, f32x4.splat(0.008366278372704983), f32x4.splat(0.04166686162352562));
  const high = madd(r2, f32x4.splat(0.0013905019732192159), mid);
  const e = f32x4.add(madd(madd(r2, high, low), r2, r), f32x4.splat(1.0));
  return f32x4.mul(e, i32x4.shl(t, 23)); // e times 2^(n - k)
}

/** exp of arguments from -infinity to 0. */
// @ts-ignore: decorator
@inline
export function expBelow(distance: v128): v128 {
  return exp4(distance, f32x4.splat(rounder), f32x4.splat(leastOf(0)));
}
