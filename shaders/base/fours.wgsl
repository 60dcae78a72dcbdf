// How a lane goes through its classes: four at a time, LANES apart. Neighbouring lanes then load neighbouring elements whatever the
// alignment, the axis and the element type, four loads are under way at once, and arithmetic on four is what software adapters are
// fastest at: measured there, reading by four takes half the time of one by one, and no less with vec4 bindings.
//
// Past the last class, fours repeat it. A branch that set them apart took as long as the exponentials (SwiftShader); a largest does not
// change by what is repeated, a sum leaves it out (are_inside), and a store writes the same once more.
//
// A lane may hold HELD fours in registers, so that what was taken is not read again. The linker writes HELD, since arrays take their
// length from a constant alone, and PACE, the fours that one step of a loop takes: a loop costs a software adapter by the step.
// The kernel declares params with classes and inner.
// Needs: base/bits.wgsl, base/lanes.wgsl
// Seams: io

struct Fours {
  start: u32,  // the first element of the row
  first: u32,  // the lane's first class
  last: u32,   // the strip's last class
  count: u32,  // the same for all lanes that wait for each other; 0 past the last row
  source: u32, // where in the input's binding the lane's first class is
  end: u32,    // and the strip's last
  shift: u32,  // from there to the same class in the output's binding; may wrap around
  step: u32,   // from a class to the next of a four
}

fn fours_of(place: Lane) -> Fours {
  var length = params.classes;
  if (STRIPS > 1u) {
    length = (length + STRIPS - 1u) / STRIPS;
  }
  let strip_first = min(place.strip * length, params.classes); // a strip past the last class is empty
  let first = strip_first + place.lane;
  let last = min(strip_first + length, params.classes) - 1u;
  if (STRIPS > 1u && LANES == 1u) {
    length = last + 1u - strip_first; // the last strips may be shorter, and what is kept may not be scaled twice
  }
  let count = select(0u, (length + 4u * LANES - 1u) >> (2u + firstTrailingBit(LANES)), place.inside);
  let start = row_start(place.row, params.classes, params.inner);
  let source = input_at(start + first * params.inner);
  let shift = output_at(start) - input_at(start);
  let step = LANES * params.inner;
  return Fours(start, first, last, count, source, input_at(start + last * params.inner), shift, step);
}

// Those past the last do not count.
fn classes_at(fours: Fours, n: u32) -> vec4u {
  return fours.first + (4u * n + vec4u(0u, 1u, 2u, 3u)) * LANES;
}

fn are_inside(fours: Fours, n: u32) -> vec4<bool> {
  return classes_at(fours, n) <= vec4u(fours.last);
}

// The elements of classes.
fn elements_of(fours: Fours, c: vec4u) -> vec4u {
  return fours.start + c * params.inner;
}

// Where in the input's binding a four is.
fn places_of(fours: Fours, n: u32) -> vec4u {
  let step = fours.step;
  return min(vec4u(fours.source + 4u * n * step) + vec4u(0u, step, 2u * step, 3u * step), vec4u(fours.end));
}

// The bits of a four, read from storage.
fn load_four(fours: Fours, n: u32) -> vec4u {
  let at = places_of(fours, n);
  return vec4u(load_at(at.x), load_at(at.y), load_at(at.z), load_at(at.w));
}

const ROOM = max(HELD, 1u);

var<private> held: array<vec4u, ROOM>;

// The bits of a four, read from storage, and held until the next that has the same number, modulo HELD.
fn take(fours: Fours, n: u32) -> vec4u {
  let bits = load_four(fours, n);
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
  return load_four(fours, n);
}

// The bits of any four, once all were taken.
fn reread(fours: Fours, n: u32) -> vec4u {
  if (HELD > 0u && fours.count <= HELD) {
    return held[n % ROOM];
  }
  return load_four(fours, n);
}

// What is repeated may be stored by the lane that has the last class, and in place by none that has not read it before.
fn store_four(fours: Fours, n: u32, bits: vec4u) {
  let at = places_of(fours, n) + fours.shift;
  if (LANES == 1u) {
    store_at(at.x, bits.x);
    store_at(at.y, bits.y);
    store_at(at.z, bits.z);
    store_at(at.w, bits.w);
  } else {
    let inside = are_inside(fours, n);
    if (inside.x) {
      store_at(at.x, bits.x);
    }
    if (inside.y) {
      store_at(at.y, bits.y);
    }
    if (inside.z) {
      store_at(at.z, bits.z);
    }
    if (inside.w) {
      store_at(at.w, bits.w);
    }
  }
}
