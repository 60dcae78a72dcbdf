// The derivative by the logits of their log-sum-exp: the probabilities, times the derivative by the row's sum.
// Twin: src/cpu/log-sum-exp-gradient.ts
// Needs: base/row_sum.wgsl, base/upstream.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = row_start(place.row, params.classes, params.inner);
  let row = row_sum(at, place);
  let inverse_total = 1.0 / (row.ties + row.rest);
  if (!place.inside) {
    return;
  }
  let u = upstream_bits(place.row);
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let p = exponential(load(i), row.maximum) * inverse_total;
    store(i, select(product_bits(bitcast<u32>(p), u), NAN_BITS, is_undefined(row)));
  }
}
