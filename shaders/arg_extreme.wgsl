// The index of the largest class of each row, or with LEAST of the smallest: the first of ties, and a NaN before all.
// Twin: src/cpu/arg-extreme.ts
// Needs: lib/lanes.wgsl
// Seams: io, order, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>; // (rows)

override LEAST: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = row_start(place.row, params.classes, params.inner);
  var best = vec2u(0u, 0xffffffffu); // key, index
  for (var c = place.lane; c < params.classes; c += LANES) {
    let bits = load(start + c * params.inner);
    let key = select(order_key(bits), reverse_order_key(bits), LEAST);
    best = merged(MERGE_BEST, best, vec2u(key, c));
  }
  best = reduced(at, MERGE_BEST, best);
  if (place.inside && place.lane == 0u) {
    indices[offsets.indices + place.row] = best.y;
  }
}
