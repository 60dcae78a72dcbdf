// Rows of a matrix in another order, from float16 or 4-byte elements to 4-byte ones: the rows of a mini-batch. The matrix may be
// bound in pieces; a dispatch then writes the rows that lie in its piece. A row that is not in the matrix is left as it was.
// Twin: src/cpu/gather-rows.ts
// Needs: base/bits.wgsl, base/lanes.wgsl
// Seams: io, reduce

struct Params {
  rows: u32, // of the result
  classes: u32, // elements a row
  first_row: u32,
  order_start: u32, // where the result's rows begin in `order`
  piece_start: u32, // the rows of the matrix that are bound
  piece_rows: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> order: array<u32>; // numbers of rows

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  // Below the piece, the difference wraps around to a number beyond it.
  let row = order[offsets.order + params.order_start + params.first_row + place.row] - params.piece_start;
  if (!place.inside || row >= params.piece_rows) {
    return;
  }
  for (var i = place.lane; i < params.classes; i += LANES) {
    store(place.row * params.classes + i, load(row * params.classes + i));
  }
}
