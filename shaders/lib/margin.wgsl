// Losses that end at a margin: max(0, margin - t d), t being -1 or 1.
// Needs: base/bits.wgsl

fn is_sign(t: u32) -> bool {
  return magnitude_of(t) == 0x3f800000u;
}

// margin - t d as bits, of any d; t must be a sign.
fn short_of(margin: f32, t: u32, d: u32) -> u32 {
  let minus = d ^ t ^ 0xbf800000u; // -t d
  if (magnitude_of(d) >= INFINITY_BITS) {
    return minus;
  }
  return bitcast<u32>(margin + bitcast<f32>(minus));
}

// Whether the loss depends on d: from 0 up, as the clamp of PyTorch has it.
fn is_short(short: u32) -> bool {
  return short <= INFINITY_BITS;
}

// max(0, short) of bits that may be infinite.
fn clamped(short: u32) -> u32 {
  return select(0u, short, is_short(short));
}
