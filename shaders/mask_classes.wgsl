// The input with -infinity in the classes that are not kept.
// Twin: src/cpu/mask-classes.ts
// Needs: base/bits.wgsl, base/lanes.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> keep: array<u32>; // (classes), 0 or 1

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside) {
    return;
  }
  let start = row_start(place.row, params.classes, params.inner);
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    store(i, select(load(i), NEGATIVE_INFINITY_BITS, keep[offsets.keep + c] == 0u));
  }
}
