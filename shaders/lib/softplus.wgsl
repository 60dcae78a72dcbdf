// log(1 + exp(x)) and its derivative, each from the side on which nothing cancels.
// Needs: base/bits.wgsl, base/exp.wgsl, base/log1p.wgsl

// Of a logit x: what softplus(x) is beyond max(0, x), and sigmoid(x) and sigmoid(-x), neither as 1 minus the other.
struct Odds {
  beyond: f32,
  own: f32,
  other: f32,
}

// Of bits that are no NaN; infinities are as far as the exponential goes.
fn odds_of(bits: u32) -> Odds {
  let e = exp_negative(-min(bitcast<f32>(min(magnitude_of(bits), INFINITY_BITS - 1u)), 1e30));
  let near = 1.0 / (1.0 + e);
  let negative = bits != magnitude_of(bits);
  return Odds(log1p_positive(e), select(near, e * near, negative), select(e * near, near, negative));
}

// a softplus(-x) + b softplus(x), as bits; 0 times infinity is 0, the limit.
fn weighed_softplus(a: f32, b: f32, bits: u32, odds: Odds) -> u32 {
  let size = magnitude_of(bits);
  let far = select(a, b, bits == size); // what weighs the one that grows with |x|
  if (size == INFINITY_BITS) {
    return select(INFINITY_BITS | (bitcast<u32>(far) & 0x80000000u), 0u, far == 0.0);
  }
  return bitcast<u32>(far * bitcast<f32>(size) + (a + b) * odds.beyond);
}
