// The squares of a slice of a tensor as one number a slice: what a norm over several tensors is made of.
// Infinities and NaN are told by their bits; a slice with either is infinite or NaN.
// Twin: src/cpu/clip-gradients.ts
// Needs: base/bits.wgsl, base/lanes.wgsl, base/across_lanes.wgsl
// Seams: reduce

struct Params {
  rows: u32, // slices
  classes: u32, // elements a slice
  first_row: u32,
  count: u32, // elements of all slices
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> gradient: array<u32>; // (count)
@group(0) @binding(4) var<storage, read_write> sums: array<u32>; // (slices)

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let before = (params.first_row + place.row) * params.classes;
  let length = min(params.classes, params.count - before);
  let start = offsets.gradient + place.row * params.classes;
  var largest = 0u;
  var sum = 0.0;
  var block = 0.0;
  var terms = 0u;
  for (var i = place.lane; i < length; i += LANES) {
    let magnitude = magnitude_of(gradient[start + i]);
    largest = max(largest, magnitude);
    let value = bitcast<f32>(select(magnitude, 0u, magnitude >= INFINITY_BITS));
    block += value * value;
    terms++;
    if ((terms & 255u) == 0u) {
      sum += block;
      block = 0.0;
    }
  }
  let total = bitcast<u32>(lane_sum(at, sum + block));
  largest = lane_maximum(at, largest);
  if (place.inside && place.lane == 0u) {
    sums[offsets.sums + place.row] = select(total, largest, largest >= INFINITY_BITS);
  }
}
