// features x weight transposed, plus bias: the plain logits. Each invocation makes a tile of 4 rows by 4 classes in registers,
// so that every number loaded is used four times; no barrier. Products are summed in blocks of 256.
// Twin: src/cpu/linear.ts
// Needs: lib/half.wgsl
// Seams: outputElement

struct Params {
  rows: u32,
  features: u32,     // of a row
  classes: u32,      // of the result's rows
  first_class: u32,  // where this dispatch begins, and how many it makes: the weight may be bound in pieces
  some_classes: u32,
}

@group(0) @binding(0) var<storage, read> features: array<u32>; // (rows, features)
@group(0) @binding(1) var<storage, read_write> output: array<OutputElement>; // (rows, classes)
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> weight: array<u32>; // (some_classes, features)
@group(0) @binding(4) var<storage, read> bias: array<u32>; // (classes)

// Whether an operand is float16, two to a word.
override HALF_FEATURES: bool = false;
override HALF_WEIGHT: bool = false;
override HALF_BIAS: bool = false;
override HAS_BIAS: bool = false;

const TILE = 4u;

fn feature(i: u32) -> f32 {
  let at = offsets.features + i;
  if (HALF_FEATURES) {
    return bitcast<f32>(widened_at(features[at >> 1u], at));
  }
  return bitcast<f32>(features[at]);
}

fn weight_of(i: u32) -> f32 {
  let at = offsets.weight + i;
  if (HALF_WEIGHT) {
    return bitcast<f32>(widened_at(weight[at >> 1u], at));
  }
  return bitcast<f32>(weight[at]);
}

fn bias_of(class_index: u32) -> f32 {
  let at = offsets.bias + class_index;
  if (HALF_BIAS) {
    return bitcast<f32>(widened_at(bias[at >> 1u], at));
  }
  return bitcast<f32>(bias[at]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let across = (params.some_classes + TILE - 1u) / TILE;
  let tile = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let first_row = tile / across * TILE;
  let first_class = tile % across * TILE;
  if (first_row >= params.rows) {
    return;
  }
  var sums = tile_of(first_row, first_class);
  for (var r = 0u; r < min(TILE, params.rows - first_row); r++) {
    for (var c = 0u; c < min(TILE, params.some_classes - first_class); c++) {
      put(first_row + r, params.first_class + first_class + c, sums[r][c]);
    }
  }
}

// Rows and classes past the last repeat the last.
fn tile_of(first_row: u32, first_class: u32) -> mat4x4f {
  var row: vec4u;
  var class_row: vec4u;
  for (var i = 0u; i < TILE; i++) {
    row[i] = min(first_row + i, params.rows - 1u) * params.features;
    class_row[i] = min(first_class + i, params.some_classes - 1u) * params.features;
  }
  var sums = mat4x4f();
  for (var block = 0u; block < params.features; block += 256u) {
    var part = mat4x4f();
    for (var d = block; d < min(block + 256u, params.features); d++) {
      let w = vec4f(weight_of(class_row.x + d), weight_of(class_row.y + d), weight_of(class_row.z + d), weight_of(class_row.w + d));
      part[0] += feature(row.x + d) * w;
      part[1] += feature(row.y + d) * w;
      part[2] += feature(row.z + d) * w;
      part[3] += feature(row.w + d) * w;
    }
    sums += part;
  }
  return sums;
}

fn put(row: u32, class_index: u32, sum: f32) {
  var value = sum;
  if (HAS_BIAS) {
    value += bias_of(class_index);
  }
  output[offsets.output + row * params.classes + class_index] = output_element(bitcast<u32>(value));
}
