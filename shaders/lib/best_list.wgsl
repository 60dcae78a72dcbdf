// The best BATCH of what a lane has seen, sorted: (key, index) pairs, larger keys first, and of equal keys the lower index.

const BATCH = 8u;
const NOTHING = vec2u(0u, 0xffffffffu); // behind every class

struct Best {
  list: array<vec2u, BATCH>,
}

fn is_before(a: vec2u, b: vec2u) -> bool {
  return a.x > b.x || (a.x == b.x && a.y < b.y);
}

// Every place in turn, without an index that is found on the way: the list can stay in registers, and compilers have been seen to get such
// an index wrong (naga).
fn consider(best: ptr<function, Best>, candidate: vec2u) {
  if (!is_before(candidate, (*best).list[BATCH - 1u])) {
    return;
  }
  var moved = candidate;
  for (var i = 0u; i < BATCH; i++) {
    let own = (*best).list[i];
    let ahead = is_before(moved, own);
    (*best).list[i] = select(own, moved, ahead);
    moved = select(moved, own, ahead);
  }
}

fn move_up(best: ptr<function, Best>) {
  for (var i = 1u; i < BATCH; i++) {
    (*best).list[i - 1u] = (*best).list[i];
  }
  (*best).list[BATCH - 1u] = NOTHING;
}

fn no_best() -> Best {
  var best: Best;
  for (var i = 0u; i < BATCH; i++) {
    best.list[i] = NOTHING;
  }
  return best;
}
