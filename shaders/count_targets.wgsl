// How many targets are not ignored: what 'mean' divides by. One row, whose classes are the targets.
// Twin: src/cpu/cross-entropy.ts
// Needs: lib/lanes.wgsl
// Seams: reduce

struct Params {
  rows: u32, // 1
  count: u32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> targets: array<i32>; // (count)
@group(0) @binding(4) var<storage, read_write> divisor: array<f32>; // (1)

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  var counted = 0u;
  for (var i = place.lane; i < params.count; i += LANES) {
    counted += u32(params.ignores == 0u || targets[offsets.targets + i] != params.ignore_index);
  }
  // Halves of the count: each is a sum of exact floats up to 2^24 targets a half.
  let sum = bitcast<vec2f>(reduced(at, MERGE_SUM, bitcast<vec2u>(vec2f(f32(counted & 0xfffu), f32(counted >> 12u)))));
  if (place.inside && place.lane == 0u) {
    divisor[offsets.divisor] = sum.x + sum.y * 4096.0;
  }
}
