// float16 by its bits: right also where the device has no f16, and for infinities, NaN and subnormals.
// Needs: base/bits.wgsl

// The bits of the float that equals a float16.
fn widened(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16u;
  let magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) {
    return sign | ((magnitude << 13u) + 0x70000000u);
  }
  if (magnitude >= 0x0400u) {
    return sign | ((magnitude << 13u) + 0x38000000u);
  }
  // A subnormal is an integer times 2^-24, and integers this small are exact floats.
  return sign | bitcast<u32>(f32(magnitude) * 5.9604644775390625e-8);
}

// The bits of the float that equals element i of packed float16, given its word.
fn widened_at(word: u32, i: u32) -> u32 {
  return widened((word >> ((i & 1u) * 16u)) & 0xffffu);
}

// The bits of the float16 nearest to a float, ties to even.
fn narrowed(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = magnitude_of(bits);
  if (magnitude > INFINITY_BITS) {
    return sign | 0x7e00u;
  }
  if (magnitude >= 0x477ff000u) { // 65520 and up
    return sign | 0x7c00u;
  }
  if (magnitude >= 0x38800000u) {
    return sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u);
  }
  let shift = 126u - (magnitude >> 23u); // 14 to 24 give a subnormal, more gives zero
  if (shift > 24u) {
    return sign;
  }
  let fraction = (magnitude & 0x7fffffu) | 0x800000u;
  let half_unit = 1u << (shift - 1u);
  return sign | ((fraction + half_unit - 1u + ((fraction >> shift) & 1u)) >> shift);
}
