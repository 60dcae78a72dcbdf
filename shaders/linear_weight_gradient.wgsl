// The gradients by a chunk of classes' weights and biases, or what some rows add to them: slopes (rows, classes) transposed x features
// (rows, depth), and the sums of slopes. Each invocation makes a tile of 4 classes by 8 features; no barrier, and one order of summation.
// Twin: src/cpu/linear-loss.ts
// Needs: lib/counted_rows.wgsl
// Seams: quads

struct Params {
  rows: u32,
  classes: u32, // of the chunk
  depth: u32,
  adds: u32,    // 0: the first rows
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read> slopes: array<f32>; // (rows, classes)
@group(0) @binding(7) var<storage, read_write> gradient: array<f32>; // (classes, depth)
@group(0) @binding(8) var<storage, read_write> bias_gradient: array<f32>; // (classes)

override HAS_GRADIENT: bool = false;
override HAS_BIAS_GRADIENT: bool = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let tile = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let across = select(1u, max(1u, (params.depth + 7u) >> 3u), HAS_GRADIENT);
  let first_class = tile / across * 4u;
  let quad = tile % across * 2u;
  if (first_class >= params.classes) {
    return;
  }
  if (HAS_BIAS_GRADIENT && quad == 0u) {
    add_biases(first_class);
  }
  if (HAS_GRADIENT && params.depth > 0u) {
    add_weights(first_class, quad);
  }
}

// Of four classes; those past the last repeat the last.
fn slopes_of(row: u32, first_class: u32) -> vec4f {
  let i = offsets.slopes + row * params.classes + min(first_class + vec4u(0u, 1u, 2u, 3u), vec4u(params.classes - 1u));
  return vec4f(slopes[i.x], slopes[i.y], slopes[i.z], slopes[i.w]);
}

fn add_biases(first_class: u32) {
  var sums = vec4f();
  for (var block = 0u; block < params.rows; block += 256u) {
    var part = vec4f();
    for (var row = block; row < min(block + 256u, params.rows); row++) {
      part += slopes_of(row, first_class);
    }
    sums += part;
  }
  for (var c = first_class; c < min(first_class + 4u, params.classes); c++) {
    let at = offsets.bias_gradient + c;
    var sum = sums[c - first_class];
    if (params.adds == 1u) {
      sum += bias_gradient[at];
    }
    bias_gradient[at] = sum;
  }
}

fn add_weights(first_class: u32, quad: u32) {
  let last_quad = (params.depth + 3u) / 4u - 1u;
  var left = mat4x4f();
  var right = mat4x4f();
  for (var block = 0u; block < params.rows; block += 256u) {
    var left_part = mat4x4f();
    var right_part = mat4x4f();
    for (var row = block; row < min(block + 256u, params.rows); row++) {
      let a = slopes_of(row, first_class);
      let start = feature_start(row);
      let counts = vec4<bool>(has_slopes(row)); // 0 times what is not finite would be NaN
      let near = select(vec4f(), feature_quad(start, quad), counts);
      let far = select(vec4f(), feature_quad(start, min(quad + 1u, last_quad)), counts);
      left_part += mat4x4f(a.x * near, a.y * near, a.z * near, a.w * near);
      right_part += mat4x4f(a.x * far, a.y * far, a.z * far, a.w * far);
    }
    left += left_part;
    right += right_part;
  }
  for (var c = 0u; c < min(4u, params.classes - first_class); c++) {
    put(first_class + c, quad, left[c]);
    put(first_class + c, quad + 1u, right[c]);
  }
}

fn put(class_index: u32, quad: u32, sums: vec4f) {
  let start = offsets.gradient + class_index * params.depth;
  for (var d = 4u * quad; d < min(4u * quad + 4u, params.depth); d++) {
    var sum = sums[d & 3u];
    if (params.adds == 1u) {
      sum += gradient[start + d];
    }
    gradient[start + d] = sum;
  }
}
