// Random numbers that depend on a seed and a place alone: Philox 4x32 of 10 rounds (Salmon and others, "Parallel random numbers:
// as easy as 1, 2, 3", 2011). Integers only, so every device has the same bits.
// Twin: src/cpu/random.ts
// Needs: base/log1p.wgsl

// The upper half of a 64-bit product, by halves of 16 bits: no sum below overflows.
fn upper_product(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let lower = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16u) + (lower >> 16u);
}

const PHILOX_A = 0xd2511f53u;
const PHILOX_B = 0xcd9e8d57u;

fn philox(counter: vec4u, seed: vec2u) -> vec4u {
  var x = counter;
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    x = vec4u(
      upper_product(PHILOX_B, x.z) ^ x.y ^ key.x,
      PHILOX_B * x.z,
      upper_product(PHILOX_A, x.x) ^ x.w ^ key.y,
      PHILOX_A * x.x,
    );
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return x;
}

// A number of the exponential distribution, -log(1 - v), from 32 random bits. The least of many such numbers decides a draw, so
// it is v near 0 that needs digits: v is an odd number of at most 24 bits times a power of 2, from 2^-33 to 1 - 2^-24, exactly.
fn exponential_of(word: u32) -> f32 {
  let shift = 9u - min(9u, countLeadingZeros(word));
  let v = f32(2u * (word >> shift) + 1u) * bitcast<f32>((94u + shift) << 23u); // times 2^(shift - 33)
  if (v < 0.29289322) {
    return log_ratio(v / (2.0 - v));
  }
  return -log_positive(1.0 - v);
}
