// Brier loss of logits and targets, which are class indices or soft labels t: the squared error of the softmax probabilities (Brier
// 1950, Verification of Forecasts Expressed in Terms of Probability).
//
//   miss_c = p_c - t_c, and where p_c is near 1: (1 - t_c) - (sum of the others) / total
//   loss = sum of miss_c^2
//   d loss / d logit_c = 2 p_c (miss_c - sum of p_k miss_k)
//
// Twin: src/cpu/brier-loss.ts
// Needs: base/row_sum.wgsl, base/row_loss.wgsl, lib/derivative_each.wgsl, base/targets.wgsl, base/labels.wgsl, lib/centred.wgsl, base/across_lanes.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  divided_by: f32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
}

@group(0) @binding(2) var<uniform> params: Params;

struct Terms {
  row: RowSum,
  label: Label,
  loss: f32,
  mean: vec2f, // of the misses
  undefined: bool,
}

struct Miss {
  p: f32,
  others: f32, // 1 - p
  miss: f32,
}

fn miss_of(row: RowSum, label: Label, c: u32, i: u32) -> Miss {
  var t = f32(c == label.class_index);
  if (HAS_LABELS) {
    t = bitcast<f32>(label_bits(i));
  }
  let share = share_of(logit(i), row);
  let inverse_total = 1.0 / (row.ties + row.rest);
  let p = share.own * inverse_total;
  let others = share.others * inverse_total;
  return Miss(p, others, select(p - t, (1.0 - t) - others, p > 0.5));
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  var label = Label(0u, true, false);
  if (!HAS_LABELS) {
    label = label_of(place.row);
  }
  let row = row_sum(at, place);
  var sum = vec4f(0.0); // loss in two parts, mean in two parts
  var block = vec4f(0.0);
  var bad = 0u; // a label that is no number
  var visited = 0u;
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    if (HAS_LABELS) {
      bad |= u32(magnitude_of(label_bits(i)) >= INFINITY_BITS);
    }
    let one = miss_of(row, label, c, i);
    block += vec4f(in_parts(one.miss * one.miss, abs(one.miss) > 0.5), mean_part(one.miss, one.p));
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = vec4f(0.0);
    }
  }
  sum = lane_four_sums(at, sum + block);
  bad = lane_maximum(at, bad);
  return Terms(row, label, sum.x + sum.y, sum.zw, !label.known || is_undefined(row) || bad == 1u);
}

fn is_ignored(terms: Terms) -> bool {
  return terms.label.ignored;
}

fn loss_bits(terms: Terms) -> u32 {
  return select(bitcast<u32>(terms.loss), NAN_BITS, terms.undefined);
}

fn derivative_bits(terms: Terms, c: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  let one = miss_of(terms.row, terms.label, c, i);
  return bitcast<u32>(2.0 * one.p * centred(one.miss, one.p, one.others, terms.mean));
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {}
