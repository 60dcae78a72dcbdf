// The derivatives of a linear layer by its weight and bias: the logits' gradient transposed x features, and the gradient's sums.
// The bias is one more feature that is always 1. Each invocation makes a tile of 4 classes by 4 features in registers, in the order
// of the rows, so that the same call gives the same bits; no barrier. Products are summed in blocks of 256.
// Twin: src/cpu/linear-gradient.ts

struct Params {
  rows: u32, // classes of this dispatch
  first_row: u32, // the first of them
  samples: u32, // rows of the features
  features: u32, // of a row
  classes: u32, // of a row of the gradient
}

@group(0) @binding(0) var<storage, read> features: array<f32>; // (samples, features)
@group(0) @binding(1) var<storage, read> gradient: array<f32>; // (samples, classes)
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> weight_gradient: array<f32>; // (rows, features)
@group(0) @binding(4) var<storage, read_write> bias_gradient: array<f32>; // (rows)

override HAS_BIAS_GRADIENT: bool = false;

const TILE = 4u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let across = (params.features + TILE) / TILE; // with the bias
  let tile = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let first_class = tile / across * TILE;
  let first_feature = tile % across * TILE;
  if (first_class >= params.rows) {
    return;
  }
  var sums = tile_of(params.first_row + first_class, first_feature);
  for (var c = 0u; c < min(TILE, params.rows - first_class); c++) {
    for (var d = 0u; d < min(TILE, params.features + 1u - first_feature); d++) {
      put(first_class + c, first_feature + d, sums[c][d]);
    }
  }
}

// Classes past the last repeat the last.
fn tile_of(first_class: u32, first_feature: u32) -> mat4x4f {
  var class_at: vec4u;
  var feature_at: vec4u;
  for (var i = 0u; i < TILE; i++) {
    class_at[i] = min(first_class + i, params.classes - 1u);
    feature_at[i] = first_feature + i;
  }
  var sums = mat4x4f();
  for (var block = 0u; block < params.samples; block += 256u) {
    var part = mat4x4f();
    for (var n = block; n < min(block + 256u, params.samples); n++) {
      let row = offsets.gradient + n * params.classes;
      let x = vec4f(feature(n, feature_at.x), feature(n, feature_at.y), feature(n, feature_at.z), feature(n, feature_at.w));
      part[0] += gradient[row + class_at.x] * x;
      part[1] += gradient[row + class_at.y] * x;
      part[2] += gradient[row + class_at.z] * x;
      part[3] += gradient[row + class_at.w] * x;
    }
    sums += part;
  }
  return sums;
}

fn feature(sample: u32, d: u32) -> f32 {
  let inside = min(d, params.features - 1u);
  return select(1.0, features[offsets.features + sample * params.features + inside], d < params.features);
}

fn put(class_index: u32, d: u32, sum: f32) {
  if (d < params.features) {
    weight_gradient[offsets.weight_gradient + class_index * params.features + d] = sum;
  } else if (HAS_BIAS_GRADIENT) {
    bias_gradient[offsets.bias_gradient + class_index] = sum;
  }
}
