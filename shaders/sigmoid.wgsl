// 1 / (1 + exp(-x / temperature)) of each element, from the side on which the exponential is below 1.
// Twin: src/cpu/sigmoid.ts
// Needs: base/bits.wgsl, base/exp.wgsl, base/lanes.wgsl
// Seams: io, reduce

struct Params {
  rows: u32, // elements
  inverse_temperature: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside || place.lane != 0u) {
    return;
  }
  store(place.row, sigmoid(load(place.row)));
}

fn sigmoid(bits: u32) -> u32 {
  let magnitude = magnitude_of(bits);
  let negative = bits != magnitude;
  if (magnitude >= INFINITY_BITS) {
    if (magnitude > INFINITY_BITS) {
      return NAN_BITS;
    }
    return select(bitcast<u32>(1.0), 0u, negative);
  }
  let x = min(bitcast<f32>(magnitude), 1e30) * min(params.inverse_temperature, 1e8);
  let e = exp_negative(-x);
  return bitcast<u32>(select(1.0, e, negative) / (1.0 + e));
}
