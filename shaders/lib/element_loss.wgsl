// The frame of every elementwise loss: one loss an element and, where the call has an output, its derivative by the input, scaled by
// weight x upstream / divisor. An element that weighs 0 adds nothing, whatever it holds.
//
// The kernel declares params with rows (elements), first_row and divided_by, and says what the loss is, of an input x and its target
// t, both as bits; i is the element's number in the whole input:
//   fn loss_bits(x: u32, t: u32, i: u32) -> u32
//   fn derivative_bits(x: u32, t: u32, i: u32) -> u32   by x
// Twin: src/cpu/element-loss.ts
// Needs: base/bits.wgsl, lib/broadcast.wgsl, base/half.wgsl, base/lanes.wgsl, base/upstream.wgsl
// Seams: io, reduce

@group(0) @binding(3) var<storage, read_write> losses: array<u32>; // as the input
@group(0) @binding(22) var<storage, read> targets: array<u32>;     // as the input
@group(0) @binding(24) var<storage, read> weights: array<u32>;     // broadcast to the input

override HAS_LOSSES: bool = false;
override HAS_OUTPUT: bool = false; // the gradient
override HALF_TARGETS: bool = false;
override HAS_WEIGHTS: bool = false;
override WEIGHTS_FULL: bool = false; // they have the shape of the input

fn target_bits(row: u32) -> u32 {
  let at = offsets.targets + row;
  if (HALF_TARGETS) {
    return widened_at(targets[at >> 1u], at);
  }
  return targets[at];
}

fn weight_bits(row: u32) -> u32 {
  if (!HAS_WEIGHTS) {
    return bitcast<u32>(1.0);
  }
  if (WEIGHTS_FULL) {
    return weights[offsets.weights + row];
  }
  return weights[offsets.weights + broadcast_index(0u, params.first_row + row)];
}

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside || place.lane != 0u) {
    return;
  }
  let x = load(place.row);
  let t = target_bits(place.row);
  let i = params.first_row + place.row;
  let weight = weight_bits(place.row);
  let counts = magnitude_of(weight) != 0u;
  if (HAS_LOSSES) {
    losses[offsets.losses + place.row] = select(0u, product_bits(loss_bits(x, t, i), weight), counts);
  }
  if (HAS_OUTPUT) {
    let share = product_bits(weight, bitcast<u32>(1.0 / params.divided_by));
    let scale = product_bits(share, upstream_bits(place.row));
    store(place.row, select(0u, product_bits(derivative_bits(x, t, i), scale), counts));
  }
}
