// What the rows of an int8 weight are to be multiplied by: the largest magnitude of each row over 127. 0 for a row of zeros; NaN for
// one that is not finite, so that nothing plausible is made of it.
// Twin: src/cpu/quantize-rows.ts
// Needs: base/bits.wgsl, base/fours.wgsl, base/across_lanes.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32, // of a row
  inner: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> scales: array<u32>; // (rows)

const LEAST = 0x04800000u; // 2^-118, as bits: of less, 127th parts may be flushed to zero

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let fours = fours_of(place);
  var largest = vec4u(0u);
  for (var n = 0u; n < fours.count; n++) {
    largest = max(largest, magnitudes_of(load_four(fours, n)));
  }
  let most = lane_maximum(at, largest_of(largest));
  if (!place.inside || place.lane != 0u) {
    return;
  }
  let scale = select(bitcast<u32>(bitcast<f32>(most) / 127.0), 0u, most < LEAST);
  scales[offsets.scales + place.row] = select(scale, NAN_BITS, most >= INFINITY_BITS);
}
