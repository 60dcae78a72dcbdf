// Kullback-Leibler divergence of log-probabilities x and targets t, an element at a time:
//
//   loss = t (log t - x), d loss / d x = -t; with LOG_TARGET exp(t) stands for t, and t for log t
//
// A target of probability 0 adds 0, whatever finite or infinite number x is. A probability below 0, +infinity and NaN give NaN.
// Twin: src/cpu/kl-div-loss.ts
// Needs: lib/element_loss.wgsl, base/exp.wgsl, base/log1p.wgsl

struct Params {
  rows: u32,
  first_row: u32,
  divided_by: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

override LOG_TARGET: bool = false;

fn is_undefined(x: u32, t: u32) -> bool {
  let outside = select(t > 0x80000000u, false, LOG_TARGET);
  return is_nan(x) || is_nan(t) || t == INFINITY_BITS || outside;
}

// The target's probability.
fn probability(t: u32) -> f32 {
  if (!LOG_TARGET) {
    return abs(bitcast<f32>(t)); // -0 is 0
  }
  if (t == NEGATIVE_INFINITY_BITS) {
    return 0.0;
  }
  let half = exp_negative(-0.5 * abs(bitcast<f32>(t)));
  let root = select(half, 1.0 / half, bitcast<f32>(t) > 0.0);
  return root * root;
}

fn loss_bits(x: u32, t: u32, i: u32) -> u32 {
  if (is_undefined(x, t)) {
    return NAN_BITS;
  }
  let q = probability(t);
  if (q == 0.0) {
    return 0u;
  }
  if (magnitude_of(x) == INFINITY_BITS) {
    return x ^ 0x80000000u;
  }
  var log_q = bitcast<f32>(t);
  if (!LOG_TARGET) {
    log_q = log_positive(q);
  }
  return bitcast<u32>(q * (log_q - bitcast<f32>(x)));
}

fn derivative_bits(x: u32, t: u32, i: u32) -> u32 {
  if (is_undefined(x, t)) {
    return NAN_BITS;
  }
  return bitcast<u32>(-probability(t));
}
