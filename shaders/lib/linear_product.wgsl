// What the kernels of features x weight transposed, plus bias, have in common: their operands, and how a logit is made of a sum.
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
override STRICT: bool = false;  // a product that is not finite is NaN, so that only a bias masks a class

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

fn put(row: u32, class_index: u32, sum: f32) {
  output[offsets.output + row * params.classes + params.first_class + class_index] = output_element(logit_bits(class_index, sum));
}

// Classes past the last are left out.
fn put_four(row: u32, first: u32, sums: vec4f) {
  for (var c = first; c < min(first + 4u, params.some_classes); c++) {
    put(row, c, sums[c - first]);
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
