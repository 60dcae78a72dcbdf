// cap tanh(x / cap), which keeps logits within (-cap, cap): Gemma 2's soft capping. -infinity stays a masked class; +infinity and
// NaN stay as they are, and make their row undefined.
// Needs: base/bits.wgsl, base/exp.wgsl

override SOFTCAP: f32;

fn softcapped(bits: u32) -> u32 {
  if (magnitude_of(bits) >= INFINITY_BITS) {
    return bits;
  }
  let u = abs(bitcast<f32>(bits)) / SOFTCAP;
  // The builtin tanh loses its digits near 0 and overflows past 88.
  let e = exp_negative(-2.0 * min(u, 50.0));
  let z = u * u;
  let near = u * (1.0 + z * (-0.33333334 + z * (0.13333334 + z * (-0.053968254 + z * 0.021869488))));
  let t = select((1.0 - e) / (1.0 + e), near, u < 0.25);
  return bitcast<u32>(SOFTCAP * t) | (bits & 0x80000000u);
}

// Of four, as the softmax is to see them.
fn logits(bits: vec4u) -> vec4u {
  return vec4u(softcapped(bits.x), softcapped(bits.y), softcapped(bits.z), softcapped(bits.w));
}

// The derivative, 1 - tanh^2; 0 for a masked class.
fn softcap_slopes(bits: vec4u) -> vec4f {
  let magnitudes = magnitudes_of(bits);
  let e = exp_negatives(-2.0 * min(bitcast<vec4f>(magnitudes) / SOFTCAP, vec4f(50.0)));
  return select(4.0 * e / ((1.0 + e) * (1.0 + e)), vec4f(0.0), magnitudes >= vec4u(INFINITY_BITS));
}
