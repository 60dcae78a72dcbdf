// exp for arguments from -infinity to 0, four at a time, within about 1 unit of the last place (shaders/lib/exp.wgsl, with fewer steps).

// Adding it rounds to an integer, which then stands in the last bits, with the exponent's bias of 127.
const rounder: f32 = 12582912.0 + 127.0;

/** Below 2^-126.5 the result is 0, exactly; a NaN stays one. */
// @ts-ignore: decorator
@inline
export function exp4(distance: v128): v128 {
  const d = f32x4.pmax(distance, f32x4.splat(-88.0)); // the other way round, it would lose NaN
  const t = f32x4.add(f32x4.mul(d, f32x4.splat(1.44269504)), f32x4.splat(rounder));
  const k = f32x4.sub(t, f32x4.splat(rounder));
  const r = f32x4.add(
    f32x4.sub(d, f32x4.mul(k, f32x4.splat(0.693359375))),
    f32x4.mul(k, f32x4.splat(2.1219444e-4)),
  );
  // Even and odd powers apart, so that a step waits for fewer before it.
  const r2 = f32x4.mul(r, r);
  const low = f32x4.add(f32x4.mul(r, f32x4.splat(0.1666654497385025)), f32x4.splat(0.5));
  const mid = f32x4.add(f32x4.mul(r, f32x4.splat(0.008366278372704983)), f32x4.splat(0.04166686162352562));
  const high = f32x4.add(f32x4.mul(r2, f32x4.splat(0.0013905019732192159)), mid);
  const p = f32x4.add(f32x4.mul(r2, high), low);
  const e = f32x4.add(f32x4.add(f32x4.mul(p, r2), r), f32x4.splat(1.0));
  return f32x4.mul(e, i32x4.shl(t, 23)); // e times 2^k
}
