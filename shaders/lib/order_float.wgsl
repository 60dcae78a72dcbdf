// Floats as integers in the order of their values: a NaN above all, and -0 equal to 0.
// Needs: lib/bits.wgsl

fn order_key(bits: u32) -> u32 {
  if (is_nan(bits)) {
    return 0xffffffffu;
  }
  if (magnitude_of(bits) == 0u) {
    return 0x80000000u;
  }
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

// For the least: the order turned round, with NaN still above all.
fn reverse_order_key(bits: u32) -> u32 {
  return select(~order_key(bits), 0xffffffffu, is_nan(bits));
}
