// The losses of a linear head's rows, of which all classes have been seen, and what their derivatives are to be multiplied by.
// Twin: src/cpu/linear-loss.ts
// Needs: lib/linear_state.wgsl, base/masses.wgsl, base/divisor.wgsl, base/upstream.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  divided_by: f32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
  all_classes: u32,
  smoothing: f32,
  z_loss: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> losses: array<u32>; // (rows)
@group(0) @binding(7) var<storage, read_write> correct: array<u32>; // (rows)
@group(0) @binding(8) var<storage, read_write> log_sum_exps: array<u32>; // (rows)

override HAS_CORRECT: bool = false;
override HAS_LOG_SUM_EXPS: bool = false;
override OF_INDICES: bool = false; // targets are indices, not labels
override ONE_HOT: bool = false;    // all the mass is the target's

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside || place.lane != 0u) {
    return;
  }
  var state = states[state_at(place.row)];
  let row = row_of(state.part);
  let ignored = OF_INDICES && params.ignores == 1u && bitcast<i32>(state.target_class) == params.ignore_index;
  var masses = Masses(state.mass, state.flags);
  if (ONE_HOT && masses.flags != NO_ANSWER) {
    masses = target_mass(state.mass.large, state.target_bits, row);
  }
  state.flags = masses.flags;
  let undefined = undefined_state(state);
  let loss = select(loss_of(row, masses), NAN_BITS, undefined);
  let weight = bitcast<u32>(sample_weight(place.row));
  let counts = magnitude_of(weight) != 0u && !ignored;
  losses[offsets.losses + place.row] = select(0u, product_bits(loss, weight), counts);
  if (HAS_CORRECT) {
    let wanted = select(state.wanted.y, state.target_class, OF_INDICES);
    correct[offsets.correct + place.row] = u32(state.best.y == wanted && !undefined && !ignored);
  }
  if (HAS_LOG_SUM_EXPS) {
    log_sum_exps[offsets.log_sum_exps + place.row] = log_sum_exp_bits(row);
  }
  let divided_by = bitcast<u32>(row_divisor());
  state.scale = product_bits(upstream_bits(place.row), quotient_bits(weight, divided_by));
  state.slopes = u32(counts && magnitude_of(divided_by) != 0u);
  states[state_at(place.row)] = state;
}
