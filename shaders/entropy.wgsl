// The entropy of the softmax, in nats (Shannon 1948, A Mathematical Theory of Communication), and its derivative by the logits:
//
//   entropy = -sum of p_c log p_c = log(total) + sum of p_c distance_c, where nothing cancels
//   d entropy / d logit_c = p_c (distance_c - sum of p_k distance_k)
//
// It is the loss entropyLoss, and without a gradient or without losses the functions entropy and entropyGradient.
// Twin: src/cpu/entropy.ts
// Needs: base/row_sum.wgsl, base/row_loss.wgsl, lib/derivative_each.wgsl, base/across_lanes.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  divided_by: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

struct Terms {
  row: RowSum,
  around: f32, // sum of p distance
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let row = row_sum(at, place);
  var sum = 0.0;
  var block = 0.0;
  var visited = 0u;
  for (var c = place.lane; c < params.classes; c += LANES) {
    let d = distance(logit(start + c * params.inner), row);
    block += exp_negative(-d) * d; // 0 for a masked class, whose distance is a number
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = 0.0;
    }
  }
  let around = lane_sum(at, sum + block);
  return Terms(row, around / (row.ties + row.rest));
}

fn is_ignored(terms: Terms) -> bool {
  return false;
}

fn loss_bits(terms: Terms) -> u32 {
  return select(bitcast<u32>(log_total(terms.row) + terms.around), NAN_BITS, is_undefined(terms.row));
}

fn derivative_bits(terms: Terms, c: u32, i: u32) -> u32 {
  if (is_undefined(terms.row)) {
    return NAN_BITS;
  }
  let d = distance(logit(i), terms.row);
  let p = exp_negative(-d) * (1.0 / (terms.row.ties + terms.row.rest));
  return bitcast<u32>(p * (d - terms.around));
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {}
