// The same as linear.wgsl for GPUs: a workgroup makes a tile of 32 rows by 64 classes. Step by step its invocations load 16 numbers of the depth
// of all of these into workgroup memory, each once and with its neighbours, and each multiplies 4 rows by 4 classes of them.
// Twin: src/cpu/linear.ts
// Needs: lib/linear_product.wgsl

const TALL = 32u;
const WIDE = 64u;
const DEEP = 4u;   // quads a step
const STRIDE = 5u; // quads from a line to the next: an odd number, so that lanes that read neighbouring lines meet in no bank
const STEPS = 16u; // of which sums are closed: 256 products

var<workgroup> left: array<vec4f, 160>;  // TALL lines of features
var<workgroup> right: array<vec4f, 320>; // WIDE lines of the weight

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let tile = workgroup.x + workgroup.y * 65535u;
  let across = (params.some_classes + WIDE - 1u) / WIDE;
  let first_row = tile / across * TALL;
  let first_class = tile % across * WIDE;
  let line = index / DEEP; // what it loads: one quad of features, and two of the weight
  let own = index % DEEP;
  let place = line * STRIDE + own;
  let of_row = start_of_row(first_row + line);
  let of_class = start_of_class(first_class + line);
  let of_other = start_of_class(first_class + line + TALL);
  let quads = (params.depth + 3u) >> 2u;
  let top = index / 16u * 4u; // what it makes: four rows that lie together, and every sixteenth class
  let column = index % 16u;
  var sums = mat4x4f();
  var part = mat4x4f();
  for (var step = 0u; step * DEEP < quads; step++) {
    let quad = step * DEEP + own;
    let inside = quad < quads;
    let known = min(quad, quads - 1u);
    left[place] = select(vec4f(), feature_quad(of_row, known), inside);
    right[place] = select(vec4f(), weight_quad(of_class, known), inside);
    right[place + TALL * STRIDE] = select(vec4f(), weight_quad(of_other, known), inside);
    workgroupBarrier();
    for (var q = 0u; q < DEEP; q++) {
      let w = mat4x4f(weight_of(column, q), weight_of(column + 16u, q), weight_of(column + 32u, q), weight_of(column + 48u, q));
      part += mat4x4f(
        products(left[top * STRIDE + q], w), products(left[(top + 1u) * STRIDE + q], w),
        products(left[(top + 2u) * STRIDE + q], w), products(left[(top + 3u) * STRIDE + q], w));
    }
    workgroupBarrier();
    if (step % STEPS == STEPS - 1u) {
      sums += part;
      part = mat4x4f();
    }
  }
  sums += part;
  for (var r = 0u; r < 4u; r++) {
    for (var j = 0u; j < 4u; j++) {
      let row = first_row + top + r;
      let class_index = first_class + column + 16u * j;
      if (row < params.rows && class_index < params.some_classes) {
        put(row, class_index, sums[r][j]);
      }
    }
  }
}

fn weight_of(line: u32, quad: u32) -> vec4f {
  return right[line * STRIDE + quad];
}
