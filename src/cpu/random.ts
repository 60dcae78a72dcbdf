// Twin of shaders/lib/random.wgsl: random numbers that depend on a seed and a place alone. Philox 4x32 of 10 rounds.

/** The upper half of the 64-bit product of two words. */
function upperProduct(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) >>> 0;
  const lower = (Math.imul(a0, b1) + (middle & 0xffff)) >>> 0;
  return Math.imul(a1, b1) + (middle >>> 16) + (lower >>> 16);
}

const philoxA = 0xd2511f53;
const philoxB = 0xcd9e8d57;

/** @param words four: the counter on the way in, random bits on the way out */
export function philox(words: Uint32Array, seedLow: number, seedHigh: number): void {
  let low = seedLow;
  let high = seedHigh;
  for (let round = 0; round < 10; round++) {
    const x = words[0];
    const z = words[2];
    words[0] = upperProduct(philoxB, z) ^ words[1] ^ low;
    words[1] = Math.imul(philoxB, z);
    words[2] = upperProduct(philoxA, x) ^ words[3] ^ high;
    words[3] = Math.imul(philoxA, x);
    low = (low + 0x9e3779b9) >>> 0;
    high = (high + 0xbb67ae85) >>> 0;
  }
}

/** A number of the exponential distribution, -log(1 - v), from 32 random bits: v is from 2^-33 to 1 - 2^-24. */
export function exponentialOf(word: number): number {
  const shift = 9 - Math.min(9, Math.clz32(word));
  const v = (2 * (word >>> shift) + 1) * 2 ** (shift - 33);
  return -Math.log1p(-v);
}
