// One step of stochastic gradient descent with momentum, in place, an element an invocation; as torch.optim.SGD has it.
// Numbers pass as bits, so that a gradient that is infinite or NaN reaches its parameter as IEEE 754 has it.
// Twin: src/cpu/sgd.ts
// Needs: base/bits.wgsl, base/lanes.wgsl, lib/optimizer_step.wgsl
// Seams: reduce

struct Params {
  rows: u32, // elements
  first_step: u32, // 1 where the velocity holds nothing yet
  learning_rate: f32,
  momentum: f32,
  gradient_share: f32, // 1 - dampening
  weight_decay: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(5) var<storage, read_write> velocity: array<u32>; // what momentum is kept in

override HAS_VELOCITY: bool = false;
override NESTEROV: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside || place.lane != 0u) {
    return;
  }
  let i = offsets.parameter + place.row;
  var slope = slope_of(place.row);
  if (HAS_VELOCITY) {
    let v = offsets.velocity + place.row;
    var moved = slope;
    if (params.first_step == 0u) {
      moved = sum_bits(times(velocity[v], params.momentum), times(slope, params.gradient_share));
    }
    velocity[v] = moved;
    if (NESTEROV) {
      moved = sum_bits(slope, times(moved, params.momentum));
    }
    slope = moved;
  }
  parameter[i] = difference_bits(parameter[i], times(slope, params.learning_rate));
}
