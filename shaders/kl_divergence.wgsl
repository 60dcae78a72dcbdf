// Kullback-Leibler divergence KL(t || p) of target probabilities t from the softmax p of logits / temperature (Kullback and Leibler
// 1951, On Information and Sufficiency): for distillation. It is not multiplied by temperature^2.
//
//   loss = sum of t_c (log t_c - log p_c) = mass x log(total) + sum of t_c (log t_c + distance_c), with mass = sum of t_c
//   d loss / d logit_c = (mass p_c - t_c) / temperature, and where p_c is near 1: (mass - t_c) - mass (sum of the others) / total
//
// Near p = t the terms cancel: what is left of the loss is then off by up to 3e-7 x sum of t_c (|log t_c| + |log p_c|), measured 1.8e-7.
// Twin: src/cpu/kl-divergence.ts
// Needs: base/row_sum.wgsl, base/row_loss.wgsl, lib/derivative_each.wgsl, base/labels.wgsl, base/mass_sum.wgsl

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
  mass: Mass,
  masked_mass: bool, // some of the mass lies on a masked class
  undefined: bool,
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let row = row_sum(at, place);
  var sums = MassSum();
  var found = vec2u(0u); // mass on a masked class, a target that is no probability
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let bits = label_bits(i);
    found.y |= u32(magnitude_of(bits) >= INFINITY_BITS || bits > 0x80000000u);
    let t = abs(bitcast<f32>(bits)); // -0 is 0
    let d = distance(logit(i), row);
    let far = d == INFINITELY_FAR;
    found.x |= u32(far && t != 0.0);
    add_mass(&sums, t, select(t * (log_positive(t) + d), 0.0, far || t == 0.0));
  }
  let sum = mass_total(at, sums);
  found = reduced(at, MERGE_MAX, found);
  return Terms(row, sum, found.x == 1u, is_undefined(row) || found.y == 1u);
}

fn is_ignored(terms: Terms) -> bool {
  return false;
}

fn loss_bits(terms: Terms) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  return select(bitcast<u32>(whole_mass(terms.mass) * log_total(terms.row) + terms.mass.around), INFINITY_BITS, terms.masked_mass);
}

fn derivative_bits(terms: Terms, c: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  let t = bitcast<f32>(label_bits(i));
  let share = share_of(logit(i), terms.row);
  let inverse_total = 1.0 / (terms.row.ties + terms.row.rest);
  let p = share.own * inverse_total;
  let mass = whole_mass(terms.mass);
  let slope = select(mass * p - t, mass_without(terms.mass, vec4f(t)).x - mass * (share.others * inverse_total), p > 0.5);
  return bitcast<u32>(slope * params.inverse_temperature);
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {}
