// IEEE 754 binary16, by bits: Node 20 has neither Float16Array nor Math.f16round.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The float16 nearest to a float32, ties to even, as its 16 bits. A NaN becomes 0x7e00. */
export function toHalfBits(value: number): number {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and up round to infinity
  if (magnitude >= 0x38800000) {
    // Normal: the exponent's bias goes from 127 to 15; adding half a unit less one, plus the lowest kept bit, rounds to even.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  // Subnormal: adding 0.5 leaves the value in the last bits of the sum, rounded to even by the addition itself.
  bits[0] = magnitude;
  float[0] += 0.5;
  return sign | (bits[0] - 0x3f000000);
}

/** The value of 16 bits of float16. */
export function fromHalfBits(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * (1024 + fraction) * 2 ** (exponent - 25) : sign * fraction * 2 ** -24;
}

/** A number rounded to float16. */
export const roundToHalf = (value: number): number => fromHalfBits(toHalfBits(value));

/** Rounds every number to float16. */
export function roundAll(values: { readonly length: number; [i: number]: number }): void {
  for (let i = 0; i < values.length; i++) values[i] = roundToHalf(values[i]);
}

/** Floats as packed float16, padded to a whole number of 32-bit words. */
export function packHalf(values: ArrayLike<number>): Uint16Array {
  const halves = new Uint16Array(values.length + (values.length & 1));
  for (let i = 0; i < values.length; i++) halves[i] = toHalfBits(values[i]);
  return halves;
}

/** Packed float16 as floats. */
export function unpackHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < values.length; i++) values[i] = fromHalfBits(halves[i]);
  return values;
}
