// Twin of shaders/base/softcap_tanh.wgsl.

/** cap tanh(x / cap); -Infinity stays a masked class, +Infinity and NaN stay as they are. 0: no cap. */
export const softcapped = (x: number, cap: number): number =>
  cap === 0 || !Number.isFinite(x) ? x : cap * Math.tanh(x / cap);

/** The derivative, 1 - tanh^2, as 1 / cosh^2; 0 for a masked class. */
export const softcapSlope = (x: number, cap: number): number =>
  cap === 0 ? 1 : Number.isFinite(x) ? Math.cosh(x / cap) ** -2 : 0;
