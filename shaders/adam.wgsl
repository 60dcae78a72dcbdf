// One step of Adam or AdamW, in place, an element an invocation; as torch.optim.Adam and AdamW have it. The corrections of the
// moments' bias are numbers of the step, and come in with it.
// Numbers pass as bits: a gradient that is infinite or NaN makes its parameter NaN, and none other. Where only its square overflows,
// the parameter keeps its place.
// Twin: src/cpu/adam.ts
// Needs: base/bits.wgsl, base/lanes.wgsl, lib/optimizer_step.wgsl
// Seams: reduce

struct Params {
  rows: u32, // elements
  first_step: u32, // 1 where the moments hold nothing yet
  step_size: f32, // learning rate / (1 - beta1^step)
  beta1: f32,
  gradient_share: f32, // 1 - beta1
  beta2: f32,
  square_share: f32, // 1 - beta2
  root_scale: f32, // 1 / sqrt(1 - beta2^step)
  eps: f32,
  weight_decay: f32, // added to the gradient
  kept: f32, // what decoupled weight decay leaves of the parameter: 1 - learning rate x weight decay
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(5) var<storage, read_write> mean: array<u32>; // of gradients, moving
@group(0) @binding(6) var<storage, read_write> square: array<u32>; // of gradients' squares, moving
@group(0) @binding(7) var<storage, read_write> largest: array<u32>; // square so far, for amsgrad

override HAS_LARGEST: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside || place.lane != 0u) {
    return;
  }
  let i = offsets.parameter + place.row;
  let slope = slope_of(place.row);
  let m = offsets.mean + place.row;
  let v = offsets.square + place.row;
  var first = times(slope, params.gradient_share);
  var second = product_bits(times(slope, params.square_share), slope);
  var bound = second;
  if (params.first_step == 0u) {
    first = sum_bits(times(mean[m], params.beta1), first);
    second = sum_bits(times(square[v], params.beta2), second);
    bound = second;
    if (HAS_LARGEST) {
      bound = max(second, largest[offsets.largest + place.row]); // bits of numbers from 0 order as they do, NaN above all
    }
  }
  mean[m] = first;
  square[v] = second;
  if (HAS_LARGEST) {
    largest[offsets.largest + place.row] = bound;
  }
  parameter[i] = difference_bits(times(parameter[i], params.kept), change_bits(first, bound));
}

fn change_bits(first: u32, second: u32) -> u32 {
  if (magnitude_of(first) >= INFINITY_BITS || is_nan(second)) {
    return NAN_BITS;
  }
  if (second == INFINITY_BITS) {
    return 0u;
  }
  var root = 0.0;
  if (second != 0u) { // the builtin is made of an inverse root
    root = sqrt(bitcast<f32>(second));
  }
  return bitcast<u32>(params.step_size * (bitcast<f32>(first) / (root * params.root_scale + params.eps)));
}
