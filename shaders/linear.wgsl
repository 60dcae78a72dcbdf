// features x weight transposed, plus bias: logits. Each invocation makes a tile of 8 rows by 4 classes in registers, so that every number
// loaded is used several times; no barrier. Products are summed in blocks of 256.
// Measured on SwiftShader: twice as fast as tiles of 4 x 4 that load number by number.
// Twin: src/cpu/linear.ts
// Needs: lib/linear_product.wgsl

const ROWS = 8u;
const CLASSES = 4u;
const BLOCK = 64u; // quads

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let tile = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let across = (params.some_classes + CLASSES - 1u) / CLASSES;
  let first_row = tile / across * ROWS;
  let first_class = tile % across * CLASSES;
  if (first_row >= params.rows) {
    return;
  }
  let sums = tile_of(first_row, first_class);
  for (var r = 0u; r < min(ROWS, params.rows - first_row); r++) {
    put_four(first_row + r, first_class, sums[r]);
  }
}

// Unrolled by hand: SwiftShader keeps an array that a loop walks over in memory, at twice the time.
fn tile_of(first_row: u32, first_class: u32) -> array<vec4f, ROWS> {
  let top = array(start_of_row(first_row), start_of_row(first_row + 1u), start_of_row(first_row + 2u), start_of_row(first_row + 3u));
  let low = array(start_of_row(first_row + 4u), start_of_row(first_row + 5u), start_of_row(first_row + 6u), start_of_row(first_row + 7u));
  let starts = starts_of_classes(first_class);
  let quads = (params.depth + 3u) >> 2u;
  var sums = array<vec4f, ROWS>();
  for (var block = 0u; block < quads; block += BLOCK) {
    var part = array<vec4f, ROWS>();
    for (var quad = block; quad < min(block + BLOCK, quads); quad++) {
      let w = quads_at(starts, quad);
      part[0] += products(feature_quad(top[0], quad), w);
      part[1] += products(feature_quad(top[1], quad), w);
      part[2] += products(feature_quad(top[2], quad), w);
      part[3] += products(feature_quad(top[3], quad), w);
      part[4] += products(feature_quad(low[0], quad), w);
      part[5] += products(feature_quad(low[1], quad), w);
      part[6] += products(feature_quad(low[2], quad), w);
      part[7] += products(feature_quad(low[3], quad), w);
    }
    for (var r = 0u; r < ROWS; r++) {
      sums[r] += part[r];
    }
  }
  return sums;
}
