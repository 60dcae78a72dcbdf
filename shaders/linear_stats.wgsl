// Of a chunk of classes of a linear head's logits: what crossEntropy needs of it, joined to what is known of the chunks before. The
// chunks come in their order, so that the sums are the same each time.
// Twin: src/cpu/linear-loss.ts
// Needs: lib/linear_state.wgsl, lib/labels.wgsl, lib/weights.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32,       // of the chunk
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  smoothing: f32,
  all_classes: u32,
  first_class: u32,   // of the chunk
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(22) var<storage, read> targets: array<i32>; // (rows)

override HAS_TARGETS: bool = false;
override SMOOTHING: bool = false;
override METRICS: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  var state = RowState();
  if (params.first_class > 0u) {
    state = states[state_at(place.row)];
  } else if (HAS_TARGETS) {
    state.target_class = bitcast<u32>(targets[offsets.targets + place.row]);
    state.flags = select(0u, BAD_LABEL, state.target_class >= params.all_classes);
  }
  let own = strip_sum(at, place);
  let old = state.part;
  state.part = beside(old, own.top);
  state.part.sums += beside(own, state.part.top).sums;
  let row = row_of(state.part);
  if (HAS_LABELS || SMOOTHING) {
    move_masses(&state, old, row);
    add_masses(at, place, row, &state);
  }
  let target_index = state.target_class - params.first_class;
  if (HAS_TARGETS && target_index < params.classes) {
    state.target_bits = logit(place.row * params.classes + target_index);
    if (!SMOOTHING) {
      state.mass = Mass(0.0, class_weight(state.target_class), 0.0);
    }
  }
  if (METRICS) {
    find_best(at, place, &state);
  }
  lanes_meet(); // others read the state above
  if (place.inside && place.lane == 0u) {
    states[state_at(place.row)] = state;
  }
}

// The masses so far, beside a maximum that may have grown.
fn move_masses(state: ptr<function, RowState>, old: Part, row: RowSum) {
  if (old.top.x == 0u || old.top.x == (*state).part.top.x) {
    return;
  }
  let mass = whole_mass((*state).mass);
  let step = distance(bitcast<u32>(ascended(old.top.x)), row);
  if (step == INFINITELY_FAR) {
    (*state).flags |= select(MASKED_MASS, 0u, mass == 0.0);
  } else {
    (*state).mass.around += mass * step;
  }
}

// a_c, by class and element of the labels.
fn mass_of(c: u32, i: u32, target_class: u32) -> f32 {
  var q = f32(c == target_class);
  if (HAS_LABELS) {
    q = bitcast<f32>(label_bits(i));
  }
  if (SMOOTHING) {
    q = q * (1.0 - params.smoothing) + params.smoothing / f32(params.all_classes);
  }
  return class_weight(c) * q;
}

fn add_masses(at: Invocation, place: Lane, row: RowSum, state: ptr<function, RowState>) {
  var sums = MassSum();
  var found = vec2u(0u); // mass on a masked class, a label that is no number
  for (var n = place.lane; n < params.classes; n += LANES) {
    let c = params.first_class + n;
    let i = place.row * params.all_classes + c;
    if (HAS_LABELS) {
      found.y |= u32(magnitude_of(label_bits(i)) >= INFINITY_BITS);
    }
    let mass = mass_of(c, i, (*state).target_class);
    let d = distance(logit(place.row * params.classes + n), row);
    found.x |= u32(d == INFINITELY_FAR && mass != 0.0);
    add_mass(&sums, mass, select(mass * d, 0.0, d == INFINITELY_FAR));
  }
  let more = mass_total(at, sums);
  let mass = (*state).mass;
  (*state).mass = Mass(mass.small + more.small, mass.large + more.large, mass.around + more.around);
  found = reduced(at, MERGE_MAX, found);
  (*state).flags |= (found.x * MASKED_MASS) | (found.y * BAD_LABEL);
}

// The argmax of the logits and of the labels, the first of ties.
fn find_best(at: Invocation, place: Lane, state: ptr<function, RowState>) {
  var best = vec2u(0u, 0xffffffffu);
  var wanted = best;
  for (var n = place.lane; n < params.classes; n += LANES) {
    let c = params.first_class + n;
    best = merged(MERGE_BEST, best, vec2u(ascending(positive_zero(load(place.row * params.classes + n))), c));
    if (HAS_LABELS) {
      let label = label_bits(place.row * params.all_classes + c);
      wanted = merged(MERGE_BEST, wanted, vec2u(ascending(positive_zero(label)), c));
    }
  }
  (*state).best = merged(MERGE_BEST, (*state).best, reduced(at, MERGE_BEST, best));
  (*state).wanted = merged(MERGE_BEST, (*state).wanted, reduced(at, MERGE_BEST, wanted));
}
