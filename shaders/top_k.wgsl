// The k largest classes of each row, sorted, ties by the lower index, a NaN before all.
//
// The row is read once for every BATCH results. Each lane keeps the best BATCH of its classes that come after those already
// found, in a sorted list; then the lanes' heads are merged BATCH times, and the lane whose head was taken moves up. So any k is
// right, and a small k, the usual one, reads the row once. The part of a strip is its best BATCH, among which all of up to BATCH
// results are.
// Twin: src/cpu/top-k.ts
// Needs: lib/best_list.wgsl, base/fours.wgsl, lib/strips.wgsl
// Seams: io, order, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  k: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>; // (rows, k)

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let wanted = select(params.k, BATCH, HAS_STRIPS);
  var last = NOTHING; // the last found
  for (var found = 0u; found < wanted; found += BATCH) {
    var best = best_after(last, found == 0u, place);
    for (var j = found; j < min(found + BATCH, wanted); j++) {
      let head = best.list[0];
      last = reduced(at, MERGE_BEST, head);
      if (all(head == last)) {
        move_up(&best);
      }
      if (place.inside && place.lane == 0u) {
        put(place, j, last);
      }
    }
  }
}

// Stores the best but j.
fn put(place: Lane, j: u32, best: vec2u) {
  if (HAS_STRIPS) {
    put_part(place, j, best);
    return;
  }
  if (place.strip == 0u) {
    let i = place.row / params.inner * params.k * params.inner + place.row % params.inner + j * params.inner;
    store(i, load(row_start(place.row, params.classes, params.inner) + best.y * params.inner));
    indices[offsets.indices + i] = best.y;
  }
}

// The best of a lane's classes among those that come after `last`.
fn best_after(last: vec2u, all_of_them: bool, place: Lane) -> Best {
  var best = no_best();
  if (HAS_PARTS) {
    for (var i = place.lane; i < STRIPS * BATCH; i += LANES) {
      consider(&best, part_at(place.row, i));
    }
    return best;
  }
  let fours = fours_of(place);
  for (var n = 0u; n < fours.count; n++) {
    let keys = order_keys(load_four(fours, n));
    if (largest_of(keys) < best.list[BATCH - 1u].x) {
      continue;
    }
    let c = classes_at(fours, n);
    for (var k = 0u; k < 4u; k++) {
      let candidate = vec2u(keys[k], c[k]);
      if (c[k] <= fours.last && (all_of_them || is_before(last, candidate))) {
        consider(&best, candidate);
      }
    }
  }
  return best;
}
