// What the bits of a float say. WGSL may assume that no NaN and no infinity occurs, so comparing floats cannot find them.

const NAN_BITS = 0x7fc00000u;
const INFINITY_BITS = 0x7f800000u;
const NEGATIVE_INFINITY_BITS = 0xff800000u;

fn magnitude_of(bits: u32) -> u32 {
  return bits & 0x7fffffffu;
}

fn is_nan(bits: u32) -> bool {
  return magnitude_of(bits) > INFINITY_BITS;
}

// value x factor as bits, where the factor may be NaN or infinite and the value is finite.
fn scaled_bits(value: f32, factor_bits: u32) -> u32 {
  if (magnitude_of(factor_bits) < INFINITY_BITS) {
    return bitcast<u32>(value * bitcast<f32>(factor_bits));
  }
  if (is_nan(factor_bits) || value == 0.0) {
    return NAN_BITS;
  }
  return INFINITY_BITS | ((bitcast<u32>(value) ^ factor_bits) & 0x80000000u);
}
