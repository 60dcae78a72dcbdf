// Which row an invocation works on, and which of the row's lanes it is.
// Seams: reduce

override WORKGROUP: u32 = 64u; // invocations a workgroup, rows x LANES
override LANES: u32 = 1u;      // invocations a row, a power of two

struct Lane {
  row: u32,
  lane: u32,
  inside: bool, // false past the last row; such lanes work on the last row, so that all reach the barriers, and store nothing
}

fn lane_of(at: Invocation, rows: u32) -> Lane {
  let group = at.workgroup.x + at.workgroup.y * 65535u;
  let row = group * (WORKGROUP / LANES) + at.index / LANES;
  return Lane(min(row, rows - 1u), at.index % LANES, row < rows);
}

// The first element of a row; class c lies c x inner further.
fn row_start(row: u32, classes: u32, inner: u32) -> u32 {
  return (row / inner) * classes * inner + row % inner;
}
