// Gradients times min(1, most / norm), the norm being found by earlier dispatches; or, where the call has `norm`, that number itself.
// Twin: src/cpu/clip-gradients.ts
// Needs: base/bits.wgsl, base/lanes.wgsl
// Seams: io, reduce

struct Params {
  rows: u32, // elements
  most: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> squares: array<u32>; // (1): the sum of all squares
@group(0) @binding(4) var<storage, read_write> norm: array<u32>; // (1)

override HAS_NORM: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside || place.lane != 0u) {
    return;
  }
  let sum = squares[offsets.squares];
  let finite = magnitude_of(sum) < INFINITY_BITS;
  let root = select(0.0, sqrt(bitcast<f32>(select(0u, sum, finite))), sum != 0u);
  if (HAS_NORM) {
    norm[offsets.norm] = select(sum, bitcast<u32>(root), finite);
    return;
  }
  // As PyTorch has it: an infinite norm leaves 0, and makes NaN of what was infinite; a NaN leaves NaN.
  var factor = bitcast<u32>(min(1.0, params.most / (root + 1e-6)));
  if (!finite) {
    factor = select(0u, NAN_BITS, is_nan(sum));
  }
  store(place.row, product_bits(load(place.row), factor));
}
