// The same as linear.wgsl for few rows: lanes go through the depth of one row and 8 classes together, so that neighbours load neighbouring
// numbers of the weight, of which each is used once.
// Twin: src/cpu/linear.ts
// Needs: lib/linear_product.wgsl, base/lanes.wgsl, base/across_lanes.wgsl

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let across = (params.some_classes + 7u) / 8u;
  let place = lane_of(at, params.rows * across);
  let row = place.row / across;
  let first_class = place.row % across * 8u;
  let start = start_of_row(row);
  let starts = starts_of_classes(first_class);
  let next = starts_of_classes(first_class + 4u);
  let quads = (params.depth + 3u) >> 2u;
  let block = 64u * LANES; // 256 numbers a lane
  var sums = mat2x4f();
  for (var n = place.lane; n < quads; n += block) {
    var part = mat2x4f();
    for (var quad = n; quad < min(n + block, quads); quad += LANES) {
      let x = feature_quad(start, quad);
      part += mat2x4f(products(x, quads_at(starts, quad)), products(x, quads_at(next, quad)));
    }
    sums += part;
  }
  let low = lane_four_sums(at, sums[0]);
  let high = lane_four_sums(at, sums[1]);
  if (place.inside && place.lane == 0u) {
    put_four(row, first_class, low);
    put_four(row, first_class + 4u, high);
  }
}
