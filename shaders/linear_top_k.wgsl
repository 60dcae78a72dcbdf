// The k largest logits of each row of a linear head: those of a chunk of classes, merged with the best of the chunks before. The chunk is
// read once for every BATCH results, as in top_k.wgsl; what does not come before the last of the best so far is passed over.
// Twin: src/cpu/linear-top-k.ts
// Needs: lib/best_list.wgsl, base/fours.wgsl, lib/order_float.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32,     // of the chunk
  inner: u32,
  first_class: u32, // of the chunk
  k: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> before: array<vec2u>; // (rows, k), keys and classes, the best first
@group(0) @binding(4) var<storage, read_write> after: array<vec2u>; // the same, with this chunk

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let worst = best_before(place.row, params.k - 1u);
  var last = vec2u(0xffffffffu, 0u); // the last taken from the chunk; ahead of all but a NaN that is class 0
  var started = false;
  var kept = 0u; // how many were taken from the best before
  for (var found = 0u; found < params.k; found += BATCH) {
    var best = best_after(last, !started, worst, place);
    for (var j = found; j < min(found + BATCH, params.k); j++) {
      let own = best.list[0];
      var head = reduced(at, MERGE_BEST, own);
      let older = best_before(place.row, kept);
      if (is_before(older, head)) {
        head = older;
        kept++;
      } else {
        last = head;
        started = true;
        if (all(own == head)) {
          move_up(&best);
        }
      }
      if (place.inside && place.lane == 0u) {
        after[offsets.after / 2u + place.row * params.k + j] = head;
      }
    }
  }
}

fn best_before(row: u32, j: u32) -> vec2u {
  if (params.first_class == 0u) {
    return NOTHING;
  }
  return before[offsets.before / 2u + row * params.k + j];
}

// The best of a lane's classes among those that come after `last`.
fn best_after(last: vec2u, all_of_them: bool, worst: vec2u, place: Lane) -> Best {
  var best = no_best();
  let fours = fours_of(place);
  for (var n = 0u; n < fours.count; n++) {
    let keys = order_keys(take(fours, n));
    let c = classes_at(fours, n);
    for (var i = 0u; i < 4u; i++) {
      let candidate = vec2u(keys[i], params.first_class + c[i]);
      if (c[i] <= fours.last && is_before(candidate, worst) && (all_of_them || is_before(last, candidate))) {
        consider(&best, candidate);
      }
    }
  }
  return best;
}
