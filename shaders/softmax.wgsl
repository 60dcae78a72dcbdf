// softmax, or with LOG its logarithm, of each row: the maximum, the sum beside it, then one value a class.
// Twin: src/cpu/softmax.ts
// Needs: base/row_sum.wgsl
// Seams: exponentials

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

override LOG: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let fours = fours_of(place);
  let row = row_sum(at, place);
  let inverse_total = factor_of(place, row) / (row.ties + row.rest);
  var logarithm = 0.0;
  if (LOG) {
    logarithm = log_total(row);
  }
  for (var n = 0u; n < fours.count; n += PACE) {
    let a = value_of(fours, n, row, inverse_total, logarithm);
    if (PACE == 2u) {
      store_four(fours, n + 1u, value_of(fours, n + 1u, row, inverse_total, logarithm));
    }
    store_four(fours, n, a);
  }
}

fn value_of(fours: Fours, n: u32, row: RowSum, inverse_total: f32, logarithm: f32) -> vec4u {
  let nan = select(0u, NAN_BITS, is_undefined(row)); // makes a NaN of any number
  if (LOG) {
    let d = distances(reread(fours, n), row);
    let far = d == vec4f(INFINITELY_FAR);
    return select(bitcast<vec4u>(-d - logarithm), vec4u(NEGATIVE_INFINITY_BITS), far) | vec4u(nan);
  }
  return bitcast<vec4u>(exponentials_of(fours, n, row) * inverse_total) | vec4u(nan);
}
