// How a lane goes through its classes: four at a time, LANES apart. Neighbouring lanes then load neighbouring elements whatever the
// alignment, the axis and the element type, four loads are under way at once, and arithmetic on four is what software adapters are
// fastest at: measured there, reading by four takes half the time of one by one, and no less with vec4 bindings.
//
// A lane may hold HELD fours in registers, so that what was taken is not read again. The linker writes HELD, since arrays take their
// length from a constant alone.
// The kernel declares params with classes and inner.
// Needs: lib/lanes.wgsl
// Seams: io

struct Fours {
  start: u32, // the first element of the row
  first: u32, // the lane's first class
  last: u32,  // the strip's last class
  count: u32, // the same for all lanes of all strips
}

fn fours_of(place: Lane) -> Fours {
  let length = (params.classes + STRIPS - 1u) / STRIPS;
  let first = place.strip * length;
  let last = min(first + length, params.classes) - 1u;
  let count = (length + 4u * LANES - 1u) / (4u * LANES);
  return Fours(row_start(place.row, params.classes, params.inner), first + place.lane, last, count);
}

// Those past the last do not count: see inside().
fn classes_at(fours: Fours, n: u32) -> vec4u {
  return fours.first + (4u * n + vec4u(0u, 1u, 2u, 3u)) * LANES;
}

fn inside(fours: Fours, c: vec4u) -> vec4<bool> {
  return c <= vec4u(fours.last);
}

// The elements of classes; those past the last repeat the last.
fn elements_of(fours: Fours, c: vec4u) -> vec4u {
  return fours.start + min(c, vec4u(fours.last)) * params.inner;
}

const ROOM = max(HELD, 1u);

var<private> held: array<vec4u, ROOM>;

// The bits of a four, read from storage, and held until the next that has the same number, modulo HELD.
fn take(fours: Fours, n: u32) -> vec4u {
  let i = elements_of(fours, classes_at(fours, n));
  let bits = vec4u(load(i.x), load(i.y), load(i.z), load(i.w));
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
  for (var k = 0u; k < 4u; k++) {
    if (c[k] <= fours.last) {
      store(fours.start + c[k] * params.inner, bits[k]);
    }
  }
}
