// Binary cross-entropy of logits, an element at a time, p being the weight of the positive:
//
//   loss = p t softplus(-x) + (1 - t) softplus(x)
//   d loss / d x = (1 - t) sigmoid(x) - p t sigmoid(-x)
//
// At an infinite logit this is the limit: 0 times infinity is 0. A target or p that is not finite gives NaN.
// Twin: src/cpu/binary-cross-entropy.ts
// Needs: lib/element_loss.wgsl, lib/softplus.wgsl

struct Params {
  rows: u32,
  first_row: u32,
  divided_by: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(25) var<storage, read> pos_weight: array<u32>; // broadcast to the input

override HAS_POS_WEIGHT: bool = false;

fn pos_weight_bits(i: u32) -> u32 {
  if (HAS_POS_WEIGHT) {
    return pos_weight[offsets.pos_weight + broadcast_index(1u, i)];
  }
  return bitcast<u32>(1.0);
}

fn is_undefined(x: u32, t: u32, p: u32) -> bool {
  return is_nan(x) || max(magnitude_of(t), magnitude_of(p)) >= INFINITY_BITS;
}

fn loss_bits(x: u32, t: u32, i: u32) -> u32 {
  let p = pos_weight_bits(i);
  if (is_undefined(x, t, p)) {
    return NAN_BITS;
  }
  return weighed_softplus(bitcast<f32>(p) * bitcast<f32>(t), 1.0 - bitcast<f32>(t), x, odds_of(x));
}

fn derivative_bits(x: u32, t: u32, i: u32) -> u32 {
  let p = pos_weight_bits(i);
  if (is_undefined(x, t, p)) {
    return NAN_BITS;
  }
  let odds = odds_of(x);
  return bitcast<u32>((1.0 - bitcast<f32>(t)) * odds.own - bitcast<f32>(p) * bitcast<f32>(t) * odds.other);
}
