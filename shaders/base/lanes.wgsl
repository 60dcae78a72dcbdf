// Which row an invocation works on, which strip of its classes, and which of the strip's lanes it is.
// Seams: reduce

override WORKGROUP: u32 = 64u; // invocations a workgroup, strips x LANES
override LANES: u32 = 1u;      // invocations a strip, a power of two
override STRIPS: u32 = 1u;     // pieces that the classes of a row are cut into: more than 1 where there are few long rows

struct Lane {
  row: u32,
  lane: u32,
  inside: bool, // false past the last row; such lanes work on the last strip, so that all reach the barriers, and store nothing
  strip: u32,
}

fn lane_of(at: Invocation, rows: u32) -> Lane {
  let group = at.workgroup.x + at.workgroup.y * 65535u;
  let index = index_of(at);
  let strip = group * (WORKGROUP / LANES) + (index >> firstTrailingBit(LANES));
  let known = min(strip, rows * STRIPS - 1u);
  var place = Lane(known, index & (LANES - 1u), strip == known, 0u);
  if (STRIPS > 1u) {
    place.row = known / STRIPS;
    place.strip = known % STRIPS;
  }
  return place;
}

// The first element of a row; class c lies c x inner further. A software adapter divides number by number: with few classes, divisions took a
// fifth of a row's time.
fn row_start(row: u32, classes: u32, inner: u32) -> u32 {
  if (inner == 1u) {
    return row * classes;
  }
  return (row / inner) * classes * inner + row % inner;
}
