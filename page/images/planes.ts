// A picture as its colours, one after the other, and what all rules of the extractor share.

/** Pictures are squares of so many pixels a side. */
export const side = 64;

/** [side x side] each, from 0 to 1. */
export interface Planes {
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
  readonly light: Float32Array;
}

export function planesOf(rgba: Uint8ClampedArray): Planes {
  const plane = (channel: number) => Float32Array.from({ length: side * side }, (_, i) => rgba[4 * i + channel] / 255);
  const [red, green, blue] = [plane(0), plane(1), plane(2)];
  const light = red.map((value, i) => 0.299 * value + 0.587 * green[i] + 0.114 * blue[i]);
  return { red, green, blue, light };
}

/** Scales numbers to the length 1, in place; numbers that are all next to nothing stay so. */
export function unit<Numbers extends Float32Array>(values: Numbers, least = 1e-3): Numbers {
  const length = Math.max(least, Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)));
  for (let i = 0; i < values.length; i++) values[i] /= length;
  return values;
}
