// Focal loss of logits and class indices: cross-entropy, less for what is nearly right already (Lin et al. 2017, Focal Loss for Dense
// Object Detection, eq. 5, over the softmax).
//
//   missed = 1 - p_t, as the share of the others, which keeps its digits where p_t is near 1
//   loss   = alpha_t missed^gamma (-log p_t)
//   steepness = alpha_t missed^gamma (1 + gamma p_t (-log p_t) / missed)
//   d loss / d logit_t = -missed steepness, d loss / d logit_c = p_c steepness
//
// Of confident rows, the loss is off by 1 + gamma times what missed is: differences of logits near 30 are rounded by up to 1e-6, so at
// gamma 2 by up to 3e-6, measured 2.0e-6.
//
// (-log p_t) / missed goes to 1 as both go to 0, so no power below 0 is ever taken.
// Twin: src/cpu/focal-loss.ts
// Needs: base/row_sum.wgsl, base/row_loss.wgsl, lib/derivative_each.wgsl, base/targets.wgsl, lib/power.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  divided_by: f32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
  gamma: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

struct Terms {
  row: RowSum,
  label: Label,
  missed: f32,
  loss: u32, // bits
  steepness: f32,
  undefined: bool,
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let label = label_of(place.row);
  let row = row_sum(at, place);
  let bits = logit(start + label.class_index * params.inner);
  let share = share_of(bits, row);
  let d = distance(bits, row);
  let inverse_total = 1.0 / (row.ties + row.rest);
  let p = share.own * inverse_total;
  let missed = share.others * inverse_total;
  let surprise = d + log_total(row); // -log p
  let alpha = class_weight(label.class_index);
  let factor = alpha * power(missed, params.gamma);
  var ratio = select(1.0, 0.0, p == 0.0); // not 0 times what may overflow
  if (missed > 0.0 && p > 0.0) {
    ratio = p * (surprise / missed);
  }
  let of_alpha = bitcast<u32>(alpha);
  let masked = d == INFINITELY_FAR && magnitude_of(of_alpha) != 0u;
  let loss = select(bitcast<u32>(factor * surprise), product_bits(INFINITY_BITS, of_alpha), masked);
  return Terms(row, label, missed, loss, factor * (1.0 + params.gamma * ratio), !label.known || is_undefined(row));
}

fn is_ignored(terms: Terms) -> bool {
  return terms.label.ignored;
}

fn loss_bits(terms: Terms) -> u32 {
  return select(terms.loss, NAN_BITS, terms.undefined);
}

fn derivative_bits(terms: Terms, c: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  let p = share_of(logit(i), terms.row).own * (1.0 / (terms.row.ties + terms.row.rest));
  return bitcast<u32>(select(p, -terms.missed, c == terms.label.class_index) * terms.steepness);
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {}
