// Floats as integers in the order of their values: a NaN above all, and -0 equal to 0.
// Needs: base/bits.wgsl

fn order_keys(bits: vec4u) -> vec4u {
  let keys = select(bits | vec4u(0x80000000u), ~bits, bits > vec4u(0x80000000u)); // -0 is not
  return keys | nan_keys(bits);
}

// For the least: the order turned round, with NaN still above all.
fn reverse_order_keys(bits: vec4u) -> vec4u {
  return ~order_keys(bits) | nan_keys(bits);
}

fn nan_keys(bits: vec4u) -> vec4u {
  return select(vec4u(0u), vec4u(0xffffffffu), magnitudes_of(bits) > vec4u(INFINITY_BITS));
}
