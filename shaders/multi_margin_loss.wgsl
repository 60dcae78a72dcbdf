// Multi-class margin loss of logits x and class indices t, as PyTorch has it:
//
//   short_c = max(0, margin - x_t + x_c)       by how much the target fails to lead class c by the margin
//   loss = w_t / classes x sum over c other than t of short_c^p, p being 1 or 2
//   d loss / d x_c = w_t / classes x p short_c^(p - 1) where short_c is above 0, d loss / d x_t = minus the sum of these
//
// A masked class falls short of nothing; a masked target falls infinitely short of all others. x_c - x_t is rounded before the margin
// is added, so short_c is off by up to half a unit of the last place of x_c - x_t: a loss near 0 has that absolute error (6e-8 at
// differences below 1), measured 5.6e-8.
// Twin: src/cpu/multi-margin-loss.ts
// Needs: base/row_sum.wgsl, base/row_loss.wgsl, lib/derivative_each.wgsl, base/targets.wgsl, base/across_lanes.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  divided_by: f32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
  margin: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

override SQUARED: bool = false; // p = 2

struct Terms {
  label: Label,
  chosen: u32,    // the bits of x_t
  quarters: f32,  // sum of short / 4 / classes
  second: f32,    // sum of short^2 / 16 / classes, or the number of classes that the target fails to lead
  infinite: bool, // the loss
  undefined: bool,
}

// A quarter of short_c, which cannot overflow; INFINITELY_FAR where the target is masked and the class is not.
fn quarter_of(label: Label, chosen: u32, c: u32, bits: u32) -> f32 {
  if (c == label.class_index || bits == NEGATIVE_INFINITY_BITS) {
    return 0.0;
  }
  if (chosen == NEGATIVE_INFINITY_BITS) {
    return INFINITELY_FAR;
  }
  let lead = 0.25 * bitcast<f32>(bits) - 0.25 * bitcast<f32>(chosen);
  return max(0.0, lead + 0.25 * params.margin);
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let label = label_of(place.row);
  let row = row_maximum(at, place);
  let chosen = load(start + label.class_index * params.inner);
  let inverse_classes = 1.0 / f32(params.classes);
  var sum = vec2f(0.0); // quarters, second
  var block = vec2f(0.0);
  var infinite = 0u;
  var visited = 0u;
  for (var c = place.lane; c < params.classes; c += LANES) {
    let quarter = quarter_of(label, chosen, c, load(start + c * params.inner));
    let part = quarter * inverse_classes;
    let overflows = quarter == INFINITELY_FAR || (SQUARED && quarter > 1.0 && part > 2.1e37 / quarter);
    infinite |= u32(overflows);
    var second = f32(quarter > 0.0);
    if (SQUARED) {
      second = select(quarter * part, 0.0, overflows);
    }
    block += vec2f(part, second);
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = vec2f(0.0);
    }
  }
  sum = lane_sums(at, sum + block);
  infinite = lane_maximum(at, infinite);
  return Terms(label, chosen, sum.x, sum.y, infinite == 1u, !label.known || is_undefined(row));
}

fn is_ignored(terms: Terms) -> bool {
  return terms.label.ignored;
}

fn loss_bits(terms: Terms) -> u32 {
  let weight = class_weight(terms.label.class_index);
  if (terms.undefined) {
    return NAN_BITS;
  }
  if (weight == 0.0) {
    return 0u;
  }
  if (terms.infinite) {
    return product_bits(INFINITY_BITS, bitcast<u32>(weight));
  }
  return bitcast<u32>(weight * select(4.0 * terms.quarters, 16.0 * terms.second, SQUARED));
}

fn derivative_bits(terms: Terms, c: u32, i: u32) -> u32 {
  let weight = class_weight(terms.label.class_index);
  if (terms.undefined) {
    return NAN_BITS;
  }
  if (weight == 0.0) {
    return 0u;
  }
  let share = weight / f32(params.classes);
  if (c == terms.label.class_index) {
    if (SQUARED && terms.chosen == NEGATIVE_INFINITY_BITS && terms.infinite) {
      return product_bits(NEGATIVE_INFINITY_BITS, bitcast<u32>(weight));
    }
    return bitcast<u32>(-select(share * terms.second, (weight * 8.0) * terms.quarters, SQUARED));
  }
  let quarter = quarter_of(terms.label, terms.chosen, c, load(i));
  if (SQUARED && quarter == INFINITELY_FAR) {
    return product_bits(INFINITY_BITS, bitcast<u32>(weight));
  }
  return bitcast<u32>(select(select(0.0, share, quarter > 0.0), share * 8.0 * quarter, SQUARED));
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {}
