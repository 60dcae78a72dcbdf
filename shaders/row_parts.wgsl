// The sum of each strip of each row, for kernels whose rows are few and long: they put the strips together (base/row_sum.wgsl).
// Twin: src/cpu/row-sum.ts
// Needs: base/row_sum.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(97) var<storage, read_write> strips: array<vec4u>; // (rows, STRIPS)

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let part = strip_sum(at, place);
  if (place.inside && place.lane == 0u) {
    strips[offsets.strips / 4u + place.row * STRIPS + place.strip] = vec4u(part.top, bitcast<vec2u>(part.sums));
  }
}
