// How a lane goes through its classes: four at a time, LANES apart. Neighbouring lanes then load neighbouring elements whatever the
// alignment, the axis and the element type, four loads are under way at once, and arithmetic on four is what software adapters are
// fastest at: measured there, reading by four takes half the time of one by one, and no less with vec4 bindings.
//
// A lane may hold HELD fours in registers, so that what was taken is not read again. The linker writes HELD, since arrays take their
// length from a constant alone.
// The kernel declares params with classes and inner.
// Needs: lib/bits.wgsl, lib/lanes.wgsl
// Seams: io

struct Fours {
  start: u32, // the first element of the row
  first: u32, // the lane's first class
  last: u32,  // the strip's last class
  count: u32, // the same for all lanes of all strips
  whole: u32, // fours that lie inside in all lanes
}

fn fours_of(place: Lane) -> Fours {
  let length = (params.classes + STRIPS - 1u) / STRIPS;
  let first = min(place.strip * length, params.classes); // a strip past the last class is empty
  let last = min(first + length, params.classes) - 1u;
  let count = (length + 4u * LANES - 1u) / (4u * LANES);
  let whole = (last + 1u - first) / (4u * LANES);
  return Fours(row_start(place.row, params.classes, params.inner), first + place.lane, last, count, whole);
}

// Those past the last do not count.
fn classes_at(fours: Fours, n: u32) -> vec4u {
  return fours.first + (4u * n + vec4u(0u, 1u, 2u, 3u)) * LANES;
}

// The elements of classes; those past the last repeat the last.
fn elements_of(fours: Fours, c: vec4u) -> vec4u {
  return fours.start + min(c, vec4u(fours.last)) * params.inner;
}

fn load_four(i: vec4u) -> vec4u {
  return vec4u(load(i.x), load(i.y), load(i.z), load(i.w));
}

const ROOM = max(HELD, 1u);

var<private> held: array<vec4u, ROOM>;

// The bits of a four, read from storage, and held until the next that has the same number, modulo HELD. Past the last class there is
// -infinity, which is masked: it is no maximum, and adds nothing to a sum.
fn take(fours: Fours, n: u32) -> vec4u {
  let c = classes_at(fours, n);
  var bits: vec4u;
  if (n < fours.whole) {
    bits = load_four(fours.start + c * params.inner);
  } else {
    bits = select(load_four(elements_of(fours, c)), vec4u(NEGATIVE_INFINITY_BITS), c > vec4u(fours.last));
  }
  if (HELD > 0u) {
    held[n % ROOM] = bits;
  }
  return bits;
}

// The bits of one of the last HELD fours that were taken.
fn taken(fours: Fours, n: u32) -> vec4u {
  if (HELD > 0u) {
    return held[n % ROOM];
  }
  return take(fours, n);
}

// The bits of any four, once all were taken.
fn reread(fours: Fours, n: u32) -> vec4u {
  if (HELD > 0u && fours.count <= HELD) {
    return held[n % ROOM];
  }
  return take(fours, n);
}

fn store_four(fours: Fours, n: u32, bits: vec4u) {
  let c = classes_at(fours, n);
  if (n < fours.whole) {
    let i = fours.start + c * params.inner;
    store(i.x, bits.x);
    store(i.y, bits.y);
    store(i.z, bits.z);
    store(i.w, bits.w);
    return;
  }
  for (var k = 0u; k < 4u; k++) {
    if (c[k] <= fours.last) {
      store(fours.start + c[k] * params.inner, bits[k]);
    }
  }
}
