// What the rows that count weigh together: what 'mean' divides by. A row weighs its sample weight times the class weight of its
// target; ignored rows weigh nothing. One row, whose classes are the targets.
// Twin: src/cpu/sum-weights.ts
// Needs: base/lanes.wgsl, base/targets.wgsl, base/weights.wgsl, base/across_lanes.wgsl
// Seams: reduce

struct Params {
  rows: u32, // 1
  count: u32,
  classes: u32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> weight_sum: array<f32>; // (1)

override HAS_TARGETS: bool = false;

fn row_weight(row: u32) -> f32 {
  let weight = sample_weight(row);
  if (!HAS_TARGETS) {
    return weight;
  }
  let label = label_of(row);
  return select(weight * class_weight(label.class_index), 0.0, label.ignored);
}

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  var sum = 0.0;
  var block = 0.0;
  var terms = 0u;
  for (var i = place.lane; i < params.count; i += LANES) {
    block += row_weight(i);
    terms++;
    if ((terms & 63u) == 0u) {
      sum += block;
      block = 0.0;
    }
  }
  let total = lane_sum(at, sum + block);
  if (place.inside && place.lane == 0u) {
    weight_sum[offsets.weight_sum] = total;
  }
}
