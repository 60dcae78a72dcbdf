// What cross-entropy makes of its targets' mass, for a row that lies together and for one of which a chunk of classes is at hand:
//
//   share a_c = class weight w_c x ((1 - smoothing) q_c + smoothing / classes), q being the labels, or 1 at the target
//   loss = sum of a_c (-log p_c) + z_loss x log-sum-exp^2
//        = mass x log(total) + sum of a_c distance_c + ..., with mass = sum of a_c and nothing that cancels
//   d loss / d logit_c = mass p_c - a_c, and where p_c is near 1: (mass - a_c) - mass (sum of the others) / total
//   d loss / d q_c = w_c (1 - smoothing) (-log p_c)
//
// The kernel declares params with all_classes, smoothing and z_loss too.
// Needs: base/row_sum.wgsl, base/labels.wgsl, base/mass_sum.wgsl, base/weights.wgsl

override SMOOTHING: bool = false;
override Z_LOSS: bool = false;

// Some of a row's classes: the class that is their first, and where its logit and its label lie.
struct Some {
  first_class: u32,
  logit: u32,
  label: u32,
}

// a_c, given the elements of the labels where there are labels. Classes past the last do not count.
fn masses_of(c: vec4u, i: vec4u, target_class: u32) -> vec4f {
  var q = select(vec4f(0.0), vec4f(1.0), c == vec4u(target_class));
  if (HAS_LABELS) {
    q = bitcast<vec4f>(vec4u(label_bits(i.x), label_bits(i.y), label_bits(i.z), label_bits(i.w)));
  }
  if (SMOOTHING) {
    q = q * (1.0 - params.smoothing) + params.smoothing / f32(params.all_classes);
  }
  if (HAS_CLASS_WEIGHTS) {
    let known = min(c, vec4u(params.all_classes - 1u));
    let weights = vec4f(class_weight(known.x), class_weight(known.y), class_weight(known.z), class_weight(known.w));
    q = select(q * weights, vec4f(0.0), q == vec4f(0.0)); // whatever a class weighs that nothing is of
  }
  return q;
}

struct Masses {
  sum: Mass, // of a_c and of a_c distance_c
  flags: u32,
}

fn total_masses(at: Invocation, lane: u32, row: RowSum, some: Some, target_class: u32) -> Masses {
  var sums = MassSum();
  var found = vec2u(0u);
  for (var n = lane; n < params.classes; n += LANES) {
    let label = some.label + n * params.inner;
    let mass = masses_of(vec4u(some.first_class + n), vec4u(label), target_class).x;
    let d = distance(logit(some.logit + n * params.inner), row);
    var flags = mass_flags(mass, d == INFINITELY_FAR);
    if (HAS_LABELS && magnitude_of(label_bits(label)) >= INFINITY_BITS) {
      flags = NO_ANSWER;
    }
    found |= vec2u(flags & MASKED_MASS, flags & NEGATIVE_MASKED_MASS);
    add_mass(&sums, mass, select(mass * d, 0.0, d == INFINITELY_FAR));
  }
  let sum = mass_total(at, sums);
  found = reduced(at, MERGE_MAX, found);
  return Masses(sum, found.x | found.y);
}

// All the mass on one class.
fn target_mass(mass: f32, target_bits: u32, row: RowSum) -> Masses {
  let d = distance(target_bits, row);
  let far = d == INFINITELY_FAR;
  return Masses(Mass(0.0, mass, select(mass * d, 0.0, far)), mass_flags(mass, far));
}

// The largest logit and the largest label, and their classes, the first of ties.
struct Bests {
  logit: vec2u,
  label: vec2u,
}

fn bests_of(at: Invocation, lane: u32, some: Some) -> Bests {
  var best = vec2u(0u, 0xffffffffu);
  var wanted = best;
  for (var n = lane; n < params.classes; n += LANES) {
    let c = some.first_class + n;
    best = merged(MERGE_BEST, best, vec2u(ascending(positive_zero(load(some.logit + n * params.inner))), c));
    if (HAS_LABELS) {
      let label = label_bits(some.label + n * params.inner);
      wanted = merged(MERGE_BEST, wanted, vec2u(ascending(positive_zero(label)), c));
    }
  }
  best = reduced(at, MERGE_BEST, best);
  return Bests(best, reduced(at, MERGE_BEST, wanted));
}

// Of a row that has a softmax.
fn loss_of(row: RowSum, masses: Masses) -> u32 {
  if (masses.flags != 0u) {
    return select(NEGATIVE_INFINITY_BITS, INFINITY_BITS, masses.flags == MASKED_MASS);
  }
  var loss = whole_mass(masses.sum) * log_total(row) + masses.sum.around;
  if (Z_LOSS) {
    let sum = bitcast<f32>(log_sum_exp_bits(row));
    loss += params.z_loss * sum * sum;
  }
  return bitcast<u32>(loss);
}

// The derivatives by logits as they are given, which hold bits and have the masses a.
fn slopes_of(row: RowSum, sum: Mass, a: vec4f, bits: vec4u) -> vec4u {
  let shares = shares_of(logits(bits), row);
  let inverse_total = 1.0 / (row.ties + row.rest);
  let p = shares.own * inverse_total;
  let mass = whole_mass(sum);
  let near_one = mass_without(sum, a) - mass * (shares.others * inverse_total);
  var slopes = select(mass * p - a, near_one, p > vec4f(0.5));
  if (Z_LOSS) {
    slopes += 2.0 * params.z_loss * bitcast<f32>(log_sum_exp_bits(row)) * p;
  }
  return bitcast<vec4u>(slopes * params.inverse_temperature * softcap_slopes(bits));
}

// The derivative by the label of class c, whose logit it is.
fn label_slope(row: RowSum, c: u32, logit: u32) -> u32 {
  let weight = class_weight(c) * (1.0 - params.smoothing);
  let d = distance(logit, row);
  if (d == INFINITELY_FAR) {
    return select(product_bits(INFINITY_BITS, bitcast<u32>(weight)), 0u, magnitude_of(bitcast<u32>(weight)) == 0u);
  }
  return bitcast<u32>(weight * (d + log_total(row)));
}
