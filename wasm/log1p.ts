// log(1 + u) for u from 0 up, within 1e-10 of itself, which rounding to float32 does not see.

// @ts-ignore: decorator
@inline
export function log1p(u: f64): f64 {
  const bits = reinterpret<i64>(1 + u);
  // 1 + u is 2^k times m, from the root of 1/2 up to that of 2.
  const k = (bits - 0x3fe6a09e667f3bcd) >> 52;
  const m = reinterpret<f64>(bits - (k << 52));
  // Where k is 0, u itself has the digits that 1 + u has lost.
  const s = k == 0 ? u / (2 + u) : (m - 1) / (m + 1);
  const z = s * s;
  const p = 1 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0)))));
  return <f64>k * 0.6931471805599453 + 2 * s * p + 0 * u; // a NaN stays one
}
