// Of a chunk of classes of a linear head's logits: what crossEntropy needs of it, joined to what is known of the chunks before. The
// chunks come in their order, so that the sums are the same each time.
// Twin: src/cpu/linear-loss.ts
// Needs: lib/linear_state.wgsl, base/masses.wgsl
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
  z_loss: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(22) var<storage, read> targets: array<i32>; // (rows)

override HAS_TARGETS: bool = false;
override METRICS: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  var state = RowState();
  if (params.first_class > 0u) {
    state = states[state_at(place.row)];
  } else if (HAS_TARGETS) {
    state.target_class = bitcast<u32>(targets[offsets.targets + place.row]);
    state.flags = select(0u, NO_ANSWER, state.target_class >= params.all_classes);
  }
  let own = strip_sum(at, place);
  let old = state.part;
  state.part = beside(old, own.top);
  state.part.sums += beside(own, state.part.top).sums;
  let row = row_of(state.part);
  let some = Some(params.first_class, place.row * params.classes, place.row * params.all_classes + params.first_class);
  if (HAS_LABELS || SMOOTHING) {
    move_masses(&state, old, row);
    let masses = total_masses(at, place.lane, row, some, state.target_class);
    let mass = state.mass;
    let more = masses.sum;
    state.mass = Mass(mass.small + more.small, mass.large + more.large, mass.around + more.around);
    state.flags |= masses.flags;
  }
  let target_index = state.target_class - params.first_class;
  if (HAS_TARGETS && target_index < params.classes) {
    state.target_bits = logit(some.logit + target_index);
    if (!SMOOTHING) {
      state.mass = Mass(0.0, class_weight(state.target_class), 0.0);
    }
  }
  if (METRICS) {
    let bests = bests_of(at, place.lane, some);
    state.best = merged(MERGE_BEST, state.best, bests.logit);
    state.wanted = merged(MERGE_BEST, state.wanted, bests.label);
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
    (*state).flags |= mass_flags(mass, true);
  } else {
    (*state).mass.around += mass * step;
  }
}
