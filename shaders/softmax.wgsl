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
  let start = row_start(place.row, params.classes, params.inner);
  let row = row_sum(at, place.lane, start);
  let inverse_total = 1.0 / (row.ties + row.rest);
  let logarithm = log_total(row);
  if (!place.inside) {
    return;
  }
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let bits = load(i);
    if (is_undefined(row)) {
      store(i, NAN_BITS);
    } else if (LOG) {
      store(i, log_probability(bits, row, logarithm));
    } else {
      store(i, bitcast<u32>(exponential(bits, row) * inverse_total));
    }
  }
}

fn log_probability(bits: u32, row: RowSum, logarithm: f32) -> u32 {
  let d = distance(bits, row);
  return select(bitcast<u32>(-d - logarithm), NEGATIVE_INFINITY_BITS, d == INFINITELY_FAR);
}
