// softmax, or with LOG its logarithm, of each row: the maximum, the sum beside it, then one value a class.
// Twin: src/cpu/softmax.ts
// Needs: lib/row_sum.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  clean_below: u32,
  far: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

override LOG: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let row = row_sum(at, place);
  let inverse_total = 1.0 / (row.ties + row.rest);
  let logarithm = log_total(row);
  if (!place.inside) {
    return;
  }
  let fours = fours_of(place);
  for (var n = 0u; n < fours.count; n++) {
    let bits = reread(fours, n);
    if (is_undefined(row)) {
      store_four(fours, n, vec4u(NAN_BITS));
    } else if (LOG) {
      let d = distances(bits, row);
      let far = d == vec4f(INFINITELY_FAR);
      store_four(fours, n, select(bitcast<vec4u>(-d - logarithm), vec4u(NEGATIVE_INFINITY_BITS), far));
    } else {
      store_four(fours, n, bitcast<vec4u>(exponentials(bits, row) * inverse_total));
    }
  }
}
