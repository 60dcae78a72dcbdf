// Cross-entropy of logits and targets, which are class indices or soft labels: the loss of each row and its derivative by the logits,
// in one pass, with every option.
//
//   share a_c = class weight w_c x ((1 - smoothing) q_c + smoothing / classes), q being the labels, or 1 at the target
//   loss = sum of a_c (-log p_c) + z_loss x log-sum-exp^2
//        = mass x log(total) + sum of a_c distance_c + ..., with mass = sum of a_c and nothing that cancels
//   d loss / d logit_c = mass p_c - a_c, and where p_c is near 1: (mass - a_c) - mass (sum of the others) / total
//   d loss / d q_c = w_c (1 - smoothing) (-log p_c)
//
// An index without smoothing needs no second look at the row: its mass is the target's weight.
// Twin: src/cpu/cross-entropy.ts
// Needs: lib/row_sum.wgsl, lib/row_loss.wgsl, lib/targets.wgsl, lib/labels.wgsl, lib/mass_sum.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  divided_by: f32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
  smoothing: f32,
  z_loss: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> target_gradient: array<u32>; // (rows, classes)
@group(0) @binding(7) var<storage, read_write> correct: array<u32>; // (rows)
@group(0) @binding(8) var<storage, read_write> log_sum_exps: array<u32>; // (rows)

override HAS_TARGET_GRADIENT: bool = false;
override HAS_CORRECT: bool = false;
override HAS_LOG_SUM_EXPS: bool = false;
override SMOOTHING: bool = false;
override Z_LOSS: bool = false;

struct Terms {
  row: RowSum,
  label: Label,
  start: u32,
  mass: Mass, // sums of a_c and of a_c distance_c
  masked_mass: bool, // some of the mass lies on a masked class
  undefined: bool,
  is_correct: bool,
}

// a_c, given the label's bits where there are labels.
fn masses_of(c: vec4u, i: vec4u, label: Label) -> vec4f {
  var q = select(vec4f(0.0), vec4f(1.0), c == vec4u(label.class_index));
  if (HAS_LABELS) {
    q = bitcast<vec4f>(vec4u(label_bits(i.x), label_bits(i.y), label_bits(i.z), label_bits(i.w)));
  }
  if (SMOOTHING) {
    q = q * (1.0 - params.smoothing) + params.smoothing / f32(params.classes);
  }
  if (HAS_CLASS_WEIGHTS) {
    let known = min(c, vec4u(params.classes - 1u));
    q *= vec4f(class_weight(known.x), class_weight(known.y), class_weight(known.z), class_weight(known.w));
  }
  return q;
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  var label = Label(0u, true, false);
  if (!HAS_LABELS) {
    label = label_of(place.row);
  }
  let row = row_sum(at, place);
  var terms = Terms(row, label, start, Mass(), false, !label.known || is_undefined(row), false);
  if (HAS_LABELS || SMOOTHING) {
    add_masses(at, place.lane, &terms);
  } else {
    let mass = class_weight(label.class_index);
    let d = distance(logit(start + label.class_index * params.inner), row);
    terms.masked_mass = d == INFINITELY_FAR && mass != 0.0;
    terms.mass = Mass(0.0, mass, select(mass * d, 0.0, d == INFINITELY_FAR));
  }
  if (HAS_CORRECT) {
    terms.is_correct = found_correct(at, place.lane, terms);
  }
  return terms;
}

fn add_masses(at: Invocation, lane: u32, terms: ptr<function, Terms>) {
  var sums = MassSum();
  var found = vec2u(0u); // mass on a masked class, a label that is no number
  for (var c = lane; c < params.classes; c += LANES) {
    let i = (*terms).start + c * params.inner;
    if (HAS_LABELS) {
      found.y |= u32(magnitude_of(label_bits(i)) >= INFINITY_BITS);
    }
    let mass = masses_of(vec4u(c), vec4u(i), (*terms).label).x;
    let d = distance(logit(i), (*terms).row);
    found.x |= u32(d == INFINITELY_FAR && mass != 0.0);
    add_mass(&sums, mass, select(mass * d, 0.0, d == INFINITELY_FAR));
  }
  (*terms).mass = mass_total(at, sums);
  found = reduced(at, MERGE_MAX, found);
  (*terms).masked_mass = found.x == 1u;
  (*terms).undefined = (*terms).undefined || found.y == 1u;
}

// Whether the argmax of the logits, the first of ties, is the target, or the argmax of the labels.
fn found_correct(at: Invocation, lane: u32, terms: Terms) -> bool {
  var best = vec2u(0u, 0xffffffffu);
  var wanted = best;
  for (var c = lane; c < params.classes; c += LANES) {
    let i = terms.start + c * params.inner;
    best = merged(MERGE_BEST, best, vec2u(ascending(positive_zero(load(i))), c));
    if (HAS_LABELS) {
      wanted = merged(MERGE_BEST, wanted, vec2u(ascending(positive_zero(label_bits(i))), c));
    }
  }
  best = reduced(at, MERGE_BEST, best);
  wanted = reduced(at, MERGE_BEST, wanted);
  return best.y == select(terms.label.class_index, wanted.y, HAS_LABELS) && !terms.undefined && !terms.label.ignored;
}

fn is_ignored(terms: Terms) -> bool {
  return terms.label.ignored;
}

fn loss_bits(terms: Terms) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  if (terms.masked_mass) {
    return INFINITY_BITS;
  }
  var loss = whole_mass(terms.mass) * log_total(terms.row) + terms.mass.around;
  if (Z_LOSS) {
    let sum = bitcast<f32>(log_sum_exp_bits(terms.row));
    loss += params.z_loss * sum * sum;
  }
  return bitcast<u32>(loss);
}

fn derivatives(terms: Terms, c: vec4u, i: vec4u, bits: vec4u) -> vec4u {
  if (terms.undefined) {
    return vec4u(NAN_BITS);
  }
  let shares = shares_of(logits(bits), terms.row);
  let inverse_total = 1.0 / (terms.row.ties + terms.row.rest);
  let p = shares.own * inverse_total;
  let a = masses_of(c, i, terms.label);
  let mass = whole_mass(terms.mass);
  let near_one = mass_without(terms.mass, a) - mass * (shares.others * inverse_total);
  var slopes = select(mass * p - a, near_one, p > vec4f(0.5));
  if (Z_LOSS) {
    slopes += 2.0 * params.z_loss * bitcast<f32>(log_sum_exp_bits(terms.row)) * p;
  }
  return bitcast<vec4u>(slopes * params.inverse_temperature * softcap_slopes(bits));
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {
  if (place.lane == 0u) {
    if (HAS_CORRECT) {
      correct[offsets.correct + place.row] = u32(terms.is_correct);
    }
    if (HAS_LOG_SUM_EXPS) {
      log_sum_exps[offsets.log_sum_exps + place.row] = log_sum_exp_bits(terms.row);
    }
  }
  if (HAS_TARGET_GRADIENT) {
    for (var c = place.lane; c < params.classes; c += LANES) {
      let i = terms.start + c * params.inner;
      let bits = select(0u, product_bits(label_derivative_bits(terms, c, i), scale), slopes);
      target_gradient[offsets.target_gradient + i] = bits;
    }
  }
}

fn label_derivative_bits(terms: Terms, c: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  let weight = class_weight(c) * (1.0 - params.smoothing);
  let d = distance(logit(i), terms.row);
  if (d == INFINITELY_FAR) {
    return select(INFINITY_BITS, 0u, weight == 0.0);
  }
  return bitcast<u32>(weight * (d + log_total(terms.row)));
}
