// The derivatives of the objective by a chunk of a linear head's logits, over the logits themselves.
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
  z_loss: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

override SMOOTHING: bool = false;
override Z_LOSS: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside) {
    return;
  }
  let state = states[state_at(place.row)];
  let fours = fours_of(place);
  for (var n = 0u; n < fours.count; n++) {
    let c = min(classes_at(fours, n), vec4u(fours.last));
    let bits = derivatives(state, c, place.row, take(fours, n));
    store_four(fours, n, select(vec4u(0u), product_of_bits(bits, state.scale), state.slopes == 1u));
  }
}

// a_c of classes of the chunk; those past its last do not count.
fn masses_of(n: vec4u, row: u32, target_class: u32) -> vec4f {
  let c = params.first_class + min(n, vec4u(params.classes - 1u));
  var q = select(vec4f(0.0), vec4f(1.0), c == vec4u(target_class));
  if (HAS_LABELS) {
    let i = row * params.all_classes + c;
    q = bitcast<vec4f>(vec4u(label_bits(i.x), label_bits(i.y), label_bits(i.z), label_bits(i.w)));
  }
  if (SMOOTHING) {
    q = q * (1.0 - params.smoothing) + params.smoothing / f32(params.all_classes);
  }
  if (HAS_CLASS_WEIGHTS) {
    q *= vec4f(class_weight(c.x), class_weight(c.y), class_weight(c.z), class_weight(c.w));
  }
  return q;
}

fn derivatives(state: RowState, n: vec4u, row_index: u32, bits: vec4u) -> vec4u {
  if (undefined_state(state)) {
    return vec4u(NAN_BITS);
  }
  let row = row_of(state.part);
  let shares = shares_of(logits(bits), row);
  let inverse_total = 1.0 / (row.ties + row.rest);
  let p = shares.own * inverse_total;
  let a = masses_of(n, row_index, state.target_class);
  let mass = whole_mass(state.mass);
  let near_one = mass_without(state.mass, a) - mass * (shares.others * inverse_total);
  var slopes = select(mass * p - a, near_one, p > vec4f(0.5));
  if (Z_LOSS) {
    slopes += 2.0 * params.z_loss * bitcast<f32>(log_sum_exp_bits(row)) * p;
  }
  return bitcast<vec4u>(slopes * params.inverse_temperature * softcap_slopes(bits));
}
