// Adds to the gradient by the features what a chunk of classes gives: slopes (rows, classes) x weight (classes, depth). Each invocation
// makes a tile of 4 rows by 8 features; no barrier, and one order of summation: products in blocks of 256, then blocks, then chunks.
// Twin: src/cpu/linear-loss.ts
// Needs: lib/counted_rows.wgsl
// Seams: quads

struct Params {
  rows: u32,
  classes: u32, // of the chunk
  depth: u32,
  adds: u32,    // 0: the first chunk
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read> slopes: array<f32>; // (rows, classes)
@group(0) @binding(7) var<storage, read_write> gradient: array<f32>; // (rows, depth)
@group(0) @binding(8) var<storage, read> scales: array<f32>; // (classes), what a class's weights are multiplied by

override HAS_SCALES: bool = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let tile = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let across = (params.depth + 7u) >> 3u;
  let first_row = tile / across * 4u;
  let quad = tile % across * 2u;
  if (first_row >= params.rows) {
    return;
  }
  let last_quad = (params.depth + 3u) / 4u - 1u;
  let rows = min(first_row + vec4u(0u, 1u, 2u, 3u), vec4u(params.rows - 1u));
  let starts = offsets.slopes + rows * params.classes;
  var left = mat4x4f();
  var right = mat4x4f();
  for (var block = 0u; block < params.classes; block += 256u) {
    var left_part = mat4x4f();
    var right_part = mat4x4f();
    for (var c = block; c < min(block + 256u, params.classes); c++) {
      let a = scaled(vec4f(slopes[starts.x + c], slopes[starts.y + c], slopes[starts.z + c], slopes[starts.w + c]), c);
      let start = weight_start(c);
      let near = weight_quad(start, quad);
      let far = weight_quad(start, min(quad + 1u, last_quad));
      left_part += mat4x4f(a.x * near, a.y * near, a.z * near, a.w * near);
      right_part += mat4x4f(a.x * far, a.y * far, a.z * far, a.w * far);
    }
    left += left_part;
    right += right_part;
  }
  for (var r = 0u; r < min(4u, params.rows - first_row); r++) {
    put(first_row + r, quad, left[r]);
    put(first_row + r, quad + 1u, right[r]);
  }
}

fn scaled(slopes_of_class: vec4f, c: u32) -> vec4f {
  if (HAS_SCALES) {
    return slopes_of_class * scales[offsets.scales + c];
  }
  return slopes_of_class;
}

fn put(row: u32, quad: u32, sums: vec4f) {
  let start = offsets.gradient + row * params.depth;
  let counts = has_slopes(row);
  for (var d = 4u * quad; d < min(4u * quad + 4u, params.depth); d++) {
    var sum = sums[d & 3u];
    if (params.adds == 1u) {
      sum += gradient[start + d];
    }
    gradient[start + d] = select(0.0, sum, counts);
  }
}
