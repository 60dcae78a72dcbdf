// The losses of all rows as one number, divided by `divisor` for 'mean'. One row, whose classes are the losses.
// Infinities and NaN are told by their bits, as everywhere.
// Twin: src/cpu/reduce-rows.ts
// Needs: lib/bits.wgsl, lib/lanes.wgsl, lib/divisor.wgsl
// Seams: reduce

struct Params {
  rows: u32, // 1
  count: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> losses: array<u32>; // (count)
@group(0) @binding(4) var<storage, read_write> total: array<u32>; // (1)


@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  var positive = 0u; // whether each kind was found, as 0 or 1, so that lanes merge by their maximum
  var negative = 0u;
  var nan = 0u;
  var sum = 0.0;
  var block = 0.0;
  var terms = 0u;
  for (var i = place.lane; i < params.count; i += LANES) {
    let bits = losses[offsets.losses + i];
    nan |= u32(is_nan(bits));
    positive |= u32(bits == INFINITY_BITS);
    negative |= u32(bits == NEGATIVE_INFINITY_BITS);
    block += select(bitcast<f32>(bits), 0.0, magnitude_of(bits) >= INFINITY_BITS);
    terms++;
    if ((terms & 255u) == 0u) {
      sum += block;
      block = 0.0;
    }
  }
  let merged_sum = bitcast<vec2f>(reduced(at, MERGE_SUM, bitcast<vec2u>(vec2f(sum + block, 0.0)))).x;
  let infinite = reduced(at, MERGE_MAX, vec2u(positive, negative));
  let undefined = reduced(at, MERGE_MAX, vec2u(nan, 0u)).x;
  if (place.inside && place.lane == 0u) {
    total[offsets.total] = divided(merged_sum, infinite, undefined);
  }
}

fn divided(sum: f32, infinite: vec2u, undefined: u32) -> u32 {
  let divisor = row_divisor();
  if (undefined == 1u || all(infinite == vec2u(1u)) || divisor == 0.0) {
    return NAN_BITS;
  }
  if (any(infinite == vec2u(1u))) {
    return select(NEGATIVE_INFINITY_BITS, INFINITY_BITS, infinite.x == 1u);
  }
  return bitcast<u32>(sum / divisor);
}
