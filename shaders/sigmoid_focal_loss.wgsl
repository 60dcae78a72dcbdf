// Focal loss of sigmoids, an element at a time: binary cross-entropy, less for what is nearly right already.
//
//   missed = (1 - t) sigmoid(x) + t sigmoid(-x)              1 - p_t, as the positive sum that it is
//   bce    = t softplus(-x) + (1 - t) softplus(x)
//   loss   = alpha_t missed^gamma bce, with alpha_t = alpha t + (1 - alpha) (1 - t)
//   d loss / d x = alpha_t missed^gamma ((1 - t) sigmoid(x) - t sigmoid(-x)
//                                        + gamma bce (1 - 2 t) sigmoid(x) sigmoid(-x) / missed)
//
// At an infinite logit this is the limit. A target that is not from 0 to 1 gives NaN.
// Twin: src/cpu/sigmoid-focal-loss.ts
// Needs: lib/element_loss.wgsl, lib/softplus.wgsl, lib/power.wgsl

struct Params {
  rows: u32,
  first_row: u32,
  divided_by: f32,
  gamma: f32,
  alpha: f32, // negative: alpha_t is 1
}

@group(0) @binding(2) var<uniform> params: Params;

fn is_undefined(x: u32, t: u32) -> bool {
  return is_nan(x) || magnitude_of(t) > 0x3f800000u || (t > 0x80000000u);
}

fn missed_of(t: f32, odds: Odds) -> f32 {
  return (1.0 - t) * odds.own + t * odds.other;
}

// alpha_t missed^gamma
fn factor_of(t: f32, missed: f32) -> f32 {
  let alpha = select(params.alpha * t + (1.0 - params.alpha) * (1.0 - t), 1.0, params.alpha < 0.0);
  return alpha * power(missed, params.gamma);
}

fn loss_bits(x: u32, t: u32, i: u32) -> u32 {
  if (is_undefined(x, t)) {
    return NAN_BITS;
  }
  let odds = odds_of(x);
  let label = abs(bitcast<f32>(t)); // -0 is 0
  let factor = factor_of(label, missed_of(label, odds));
  return weighed_softplus(factor * label, factor * (1.0 - label), x, odds);
}

fn derivative_bits(x: u32, t: u32, i: u32) -> u32 {
  if (is_undefined(x, t)) {
    return NAN_BITS;
  }
  let odds = odds_of(x);
  let label = abs(bitcast<f32>(t));
  let missed = missed_of(label, odds);
  var slope = (1.0 - label) * odds.own - label * odds.other;
  let turn = (1.0 - 2.0 * label) * odds.own * odds.other; // 0 where the logit is too large for what follows
  if (turn != 0.0) {
    let bce = bitcast<f32>(weighed_softplus(label, 1.0 - label, x, odds));
    slope += params.gamma * bce * (turn / missed);
  }
  return bitcast<u32>(factor_of(label, missed) * slope);
}
