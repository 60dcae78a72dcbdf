// The index of the largest class of each row, or with LEAST of the smallest: the first of ties, and a NaN before all.
// The part of a strip is its best, as (key, index).
// Twin: src/cpu/arg-extreme.ts
// Needs: base/fours.wgsl, lib/strips.wgsl
// Seams: io, order, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>; // (rows)

override LEAST: bool = false;

fn keys_of(fours: Fours, n: u32) -> vec4u {
  let bits = load_four(fours, n);
  if (LEAST) {
    return reverse_order_keys(bits);
  }
  return order_keys(bits);
}

// The first class of a four that has a key; the last class where none has.
fn index_in(fours: Fours, n: u32, key: u32) -> u32 {
  let c = select(vec4u(fours.last), classes_at(fours, n), keys_of(fours, n) == vec4u(key));
  return min(min(c.x, c.y), min(c.z, c.w));
}

// Finds the fours that have it, then which of them it is.
fn strip_best(place: Lane) -> vec2u {
  let fours = fours_of(place);
  var best = 0u;
  var found = 0u;
  for (var n = 0u; n < fours.count; n += PACE) {
    var key = largest_of(keys_of(fours, n));
    if (PACE == 2u) {
      key = max(key, largest_of(keys_of(fours, n + 1u)));
    }
    found = select(found, n, key > best);
    best = max(best, key);
  }
  var index = index_in(fours, found, best);
  if (PACE == 2u) {
    index = min(index, index_in(fours, found + 1u, best));
  }
  return vec2u(best, index);
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
