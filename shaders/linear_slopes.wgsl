// The derivatives of the objective by a chunk of a linear head's logits, over the logits themselves; and by its labels.
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
@group(0) @binding(6) var<storage, read_write> target_gradient: array<u32>; // (rows, all classes)

override HAS_TARGET_GRADIENT: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside) {
    return;
  }
  let state = states[state_at(place.row)];
  let row = row_of(state.part);
  let undefined = undefined_state(state);
  let start = place.row * params.all_classes;
  let fours = fours_of(place);
  for (var n = 0u; n < fours.count; n++) {
    let bits = take(fours, n);
    let inside = are_inside(fours, n);
    let c = params.first_class + min(classes_at(fours, n), vec4u(fours.last));
    if (HAS_TARGET_GRADIENT) {
      for (var k = 0u; k < 4u; k++) {
        if (inside[k]) {
          let slope = select(label_slope(row, c[k], softcapped(bits[k])), NAN_BITS, undefined);
          let scaled = select(0u, product_bits(slope, state.scale), state.slopes == 1u);
          target_gradient[offsets.target_gradient + start + c[k]] = scaled;
        }
      }
    }
    let a = masses_of(c, start + c, state.target_class);
    let slopes = select(slopes_of(row, state.mass, a, bits), vec4u(NAN_BITS), undefined);
    store_four(fours, n, select(vec4u(0u), product_of_bits(slopes, state.scale), state.slopes == 1u));
  }
}
