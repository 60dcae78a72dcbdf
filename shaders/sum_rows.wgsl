// The losses of all rows as one number, divided by `divisor` for 'mean'; of many losses, slices first. Here a row is a slice, whose
// classes are losses; the last slice may be shorter.
// Infinities and NaN are told by their bits, as everywhere.
// Twin: src/cpu/reduce-rows.ts
// Needs: base/bits.wgsl, base/lanes.wgsl, base/divisor.wgsl, base/across_lanes.wgsl
// Seams: reduce

struct Params {
  rows: u32, // slices
  classes: u32, // losses a slice
  first_row: u32,
  count: u32, // losses of all slices
  divided_by: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> losses: array<u32>; // (count)
@group(0) @binding(4) var<storage, read_write> total: array<u32>; // (slices)

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = offsets.losses + place.row * params.classes;
  let length = min(params.classes, params.count - (params.first_row + place.row) * params.classes);
  var infinite = vec2u(0u); // 1 where +infinity, and where -infinity, was found; both for a NaN
  var sum = 0.0;
  var block = 0.0;
  var terms = 0u;
  for (var i = place.lane; i < length; i += LANES) {
    let bits = losses[start + i];
    infinite |= vec2u(vec2u(bits) == vec2u(INFINITY_BITS, NEGATIVE_INFINITY_BITS)) | vec2u(u32(is_nan(bits)));
    block += select(bitcast<f32>(bits), 0.0, magnitude_of(bits) >= INFINITY_BITS);
    terms++;
    // Every 64 of at most 4096: equal losses, whose roundings add up, are then off by up to 1.7e-6, and at 256 by up to 3.9e-6.
    if ((terms & 63u) == 0u) {
      sum += block;
      block = 0.0;
    }
  }
  let merged_sum = lane_sum(at, sum + block);
  infinite = reduced(at, MERGE_MAX, infinite);
  if (place.inside && place.lane == 0u) {
    total[offsets.total + place.row] = divided(merged_sum, infinite);
  }
}

fn divided(sum: f32, infinite: vec2u) -> u32 {
  let divisor = bitcast<u32>(row_divisor());
  if (all(infinite == vec2u(1u)) || magnitude_of(divisor) == 0u) {
    return NAN_BITS;
  }
  var bits = bitcast<u32>(sum);
  if (any(infinite == vec2u(1u))) {
    bits = select(NEGATIVE_INFINITY_BITS, INFINITY_BITS, infinite.x == 1u);
  }
  return quotient_bits(bits, divisor);
}
