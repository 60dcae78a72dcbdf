// features x weight transposed, plus bias: logits. Each invocation makes a tile of 8 rows by 4 classes in registers, or of few rows one
// row by 8 classes, so that every number loaded is used several times; no barrier. Products are summed in blocks of 256.
// Measured on SwiftShader: twice as fast as tiles of 4 x 4 that load number by number.
// Twin: src/cpu/linear.ts
// Needs: base/bits.wgsl, base/half.wgsl
// Seams: quads, outputElement

struct Params {
  rows: u32,
  depth: u32,        // features of a row
  classes: u32,      // numbers from one row of the result to the next
  first_class: u32,  // where in a row of the result this dispatch begins, and how many it makes: the weight may be bound in pieces
  some_classes: u32,
}

@group(0) @binding(1) var<storage, read_write> output: array<OutputElement>; // (rows, classes)
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> bias: array<u32>; // (some_classes)
@group(0) @binding(5) var<storage, read> scales: array<f32>; // (some_classes), what a class's weights are multiplied by

override HALF_BIAS: bool = false;
override HAS_BIAS: bool = false;
override HAS_SCALES: bool = false;
override ONE_ROW: bool = false; // tiles of one row
override STRICT: bool = false;  // a product that is not finite is NaN, so that only a bias masks a class

const ROWS = 8u;
const CLASSES = 4u;
const BLOCK = 64u; // quads

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let tile = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let wide = select(CLASSES, 2u * CLASSES, ONE_ROW);
  let tall = select(ROWS, 1u, ONE_ROW);
  let across = (params.some_classes + wide - 1u) / wide;
  let first_row = tile / across * tall;
  let first_class = tile % across * wide;
  if (first_row >= params.rows) {
    return;
  }
  if (ONE_ROW) {
    let sums = row_tile(first_row, first_class);
    put(first_row, first_class, sums[0]);
    put(first_row, first_class + CLASSES, sums[1]);
    return;
  }
  let sums = tile_of(first_row, first_class);
  for (var r = 0u; r < min(ROWS, params.rows - first_row); r++) {
    put(first_row + r, first_class, sums[r]);
  }
}

// Rows and classes past the last repeat the last.
fn start_of_row(row: u32) -> u32 {
  return feature_start(min(row, params.rows - 1u));
}

fn start_of_class(class_index: u32) -> u32 {
  return weight_start(min(class_index, params.some_classes - 1u));
}

fn starts_of_classes(first: u32) -> vec4u {
  return vec4u(start_of_class(first), start_of_class(first + 1u), start_of_class(first + 2u), start_of_class(first + 3u));
}

// A quad of four classes.
fn quads_at(starts: vec4u, quad: u32) -> mat4x4f {
  return mat4x4f(
    weight_quad(starts.x, quad), weight_quad(starts.y, quad), weight_quad(starts.z, quad), weight_quad(starts.w, quad));
}

fn products(x: vec4f, w: mat4x4f) -> vec4f {
  return vec4f(dot(x, w[0]), dot(x, w[1]), dot(x, w[2]), dot(x, w[3]));
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

fn row_tile(row: u32, first_class: u32) -> array<vec4f, 2> {
  let start = start_of_row(row);
  let starts = starts_of_classes(first_class);
  let next = starts_of_classes(first_class + CLASSES);
  let quads = (params.depth + 3u) >> 2u;
  var sums = array<vec4f, 2>();
  for (var block = 0u; block < quads; block += BLOCK) {
    var part = array<vec4f, 2>();
    for (var quad = block; quad < min(block + BLOCK, quads); quad++) {
      let x = feature_quad(start, quad);
      part[0] += products(x, quads_at(starts, quad));
      part[1] += products(x, quads_at(next, quad));
    }
    sums[0] += part[0];
    sums[1] += part[1];
  }
  return sums;
}

fn put(row: u32, first_class: u32, sums: vec4f) {
  let start = offsets.output + row * params.classes + params.first_class;
  for (var c = first_class; c < min(first_class + CLASSES, params.some_classes); c++) {
    output[start + c] = output_element(logit_bits(c, sums[c - first_class]));
  }
}

fn logit_bits(c: u32, sum: f32) -> u32 {
  var value = sum;
  if (HAS_SCALES) {
    value *= scales[offsets.scales + c];
  }
  if (STRICT && magnitude_of(bitcast<u32>(value)) >= INFINITY_BITS) {
    return NAN_BITS;
  }
  if (!HAS_BIAS) {
    return bitcast<u32>(value);
  }
  let own = bias_bits(offsets.bias + c);
  if (STRICT && magnitude_of(own) >= INFINITY_BITS) {
    return own;
  }
  return bitcast<u32>(value + bitcast<f32>(own));
}

fn bias_bits(at: u32) -> u32 {
  if (HALF_BIAS) {
    return widened_at(bias[at >> 1u], at);
  }
  return bias[at];
}
