// Negative log-likelihood of log-probabilities and class indices:
//
//   loss = w_t (-log p_t), with the class weight w_t of the target
//   d loss / d log p_c = -w_t at the target, 0 elsewhere
//
// The whole row is looked at: one that holds NaN or +infinity, or nothing but -infinity, has no answer.
// Twin: src/cpu/nll-loss.ts
// Needs: base/row_sum.wgsl, base/row_loss.wgsl, lib/derivative_each.wgsl, base/targets.wgsl

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
  label: Label,
  chosen: u32, // the bits of log p_t
  undefined: bool,
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let label = label_of(place.row);
  let row = row_maximum(at, place);
  return Terms(label, load(start + label.class_index * params.inner), !label.known || is_undefined(row));
}

fn is_ignored(terms: Terms) -> bool {
  return terms.label.ignored;
}

fn loss_bits(terms: Terms) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  let weight = bitcast<u32>(class_weight(terms.label.class_index));
  return select(product_bits(terms.chosen ^ 0x80000000u, weight), 0u, magnitude_of(weight) == 0u);
}

fn derivative_bits(terms: Terms, c: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  return select(0u, bitcast<u32>(-class_weight(c)), c == terms.label.class_index);
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {}
