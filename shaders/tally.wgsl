// Adds one step's loss, right answers and rows to what the steps before it came to, so that they are read back together.
// Twin: src/cpu/tally.ts
// Needs: base/bits.wgsl, base/lanes.wgsl, base/across_lanes.wgsl
// Seams: reduce

struct Params {
  rows: u32, // 1
  classes: u32, // rows of the step
  starts: u32, // 1 where nothing came before
  ignores: u32, // 1 where `targets` tell which rows count
  ignore_index: i32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> loss: array<u32>; // (1): the mean over the rows that count
@group(0) @binding(4) var<storage, read> correct: array<u32>; // (classes)
@group(0) @binding(5) var<storage, read> targets: array<i32>; // (classes)
@group(0) @binding(6) var<storage, read_write> totals: array<u32>; // loss x rows, right answers, rows; all floats

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  var counted = vec2f(0.0);
  for (var i = place.lane; i < params.classes; i += LANES) {
    let ignored = params.ignores == 1u && targets[offsets.targets + i] == params.ignore_index;
    counted += select(vec2f(f32(correct[offsets.correct + i]), 1.0), vec2f(0.0), ignored);
  }
  counted = lane_sums(at, counted);
  if (!place.inside || place.lane != 0u) {
    return;
  }
  var sum = 0u;
  if (counted.y > 0.0) { // the mean over nothing is NaN
    sum = product_bits(loss[offsets.loss], bitcast<u32>(counted.y));
  }
  let t = offsets.totals;
  if (params.starts == 0u) {
    sum = difference_bits(sum, totals[t] ^ 0x80000000u);
    counted += vec2f(bitcast<f32>(totals[t + 1u]), bitcast<f32>(totals[t + 2u]));
  }
  totals[t] = sum;
  totals[t + 1u] = bitcast<u32>(counted.x);
  totals[t + 2u] = bitcast<u32>(counted.y);
}
