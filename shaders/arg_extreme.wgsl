// The index of the largest class of each row, or with LEAST of the smallest: the first of ties, and a NaN before all.
// The part of a strip is its best, as (key, index).
// Twin: src/cpu/arg-extreme.ts
// Needs: lib/fours.wgsl, lib/strips.wgsl
// Seams: io, order, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>; // (rows)

override LEAST: bool = false;

fn strip_best(place: Lane) -> vec2u {
  let fours = fours_of(place);
  var best = vec2u(0u, 0xffffffffu); // key, index
  for (var n = 0u; n < fours.count; n++) {
    let bits = take(fours, n);
    let c = min(classes_at(fours, n), vec4u(fours.last));
    for (var k = 0u; k < 4u; k++) {
      let key = select(order_key(bits[k]), reverse_order_key(bits[k]), LEAST);
      best = merged(MERGE_BEST, best, vec2u(key, c[k]));
    }
  }
  return best;
}

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  var best: vec2u;
  if (HAS_PARTS) {
    best = part_at(place.row, 0u);
    for (var strip = 1u; strip < STRIPS; strip++) {
      best = merged(MERGE_BEST, best, part_at(place.row, strip));
    }
  } else {
    best = reduced(at, MERGE_BEST, strip_best(place));
  }
  if (place.inside && place.lane == 0u) {
    if (HAS_STRIPS) {
      put_part(place, 0u, best);
    } else if (place.strip == 0u) {
      indices[offsets.indices + place.row] = best.y;
    }
  }
}
