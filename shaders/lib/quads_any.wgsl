// Rows of features and of a weight, four numbers at a time: any dtype and any length. What lies past the end of a row counts as 0.
// The kernel declares params with depth, the numbers of a row.
// Needs: base/half.wgsl

@group(0) @binding(0) var<storage, read> features: array<u32>; // (rows, depth)
@group(0) @binding(3) var<storage, read> weight: array<u32>; // (classes, depth)

// Whether an operand is packed: float16 two to a word, int8 four.
override HALF_FEATURES: bool = false;
override HALF_WEIGHT: bool = false;
override INT8_WEIGHT: bool = false;
override WHOLE_QUADS: bool = false; // rows are of whole quads, and packed ones begin at whole words

fn feature_start(row: u32) -> u32 {
  return offsets.features + row * params.depth;
}

fn weight_start(row: u32) -> u32 {
  return offsets.weight + row * params.depth;
}

fn feature_quad(start: u32, quad: u32) -> vec4f {
  let at = start + 4u * quad;
  if (HALF_FEATURES && WHOLE_QUADS) {
    return widened_quad(vec2u(features[at >> 1u], features[(at >> 1u) + 1u]));
  }
  return inside(vec4f(feature(at), feature(at + 1u), feature(at + 2u), feature(at + 3u)), quad);
}

fn weight_quad(start: u32, quad: u32) -> vec4f {
  let at = start + 4u * quad;
  if (HALF_WEIGHT && WHOLE_QUADS) {
    return widened_quad(vec2u(weight[at >> 1u], weight[(at >> 1u) + 1u]));
  }
  if (INT8_WEIGHT && WHOLE_QUADS) {
    return vec4f((vec4i(i32(weight[at >> 2u])) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
  }
  return inside(vec4f(weight_at(at), weight_at(at + 1u), weight_at(at + 2u), weight_at(at + 3u)), quad);
}

fn feature(at: u32) -> f32 {
  if (HALF_FEATURES) {
    return bitcast<f32>(widened_at(features[at >> 1u], at));
  }
  return bitcast<f32>(features[at]);
}

fn weight_at(at: u32) -> f32 {
  if (HALF_WEIGHT) {
    return bitcast<f32>(widened_at(weight[at >> 1u], at));
  }
  if (INT8_WEIGHT) {
    return f32(i32(weight[at >> 2u] << (24u - 8u * (at & 3u))) >> 24u);
  }
  return bitcast<f32>(weight[at]);
}

fn inside(loaded: vec4f, quad: u32) -> vec4f {
  if (WHOLE_QUADS) {
    return loaded;
  }
  return select(vec4f(), loaded, vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.depth));
}

// Four float16 at once, as base/half.wgsl widens one.
fn widened_quad(words: vec2u) -> vec4f {
  let halves = vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u);
  let magnitude = halves & vec4u(0x7fffu);
  let large = select(vec4u(0x38000000u), vec4u(0x70000000u), magnitude >= vec4u(0x7c00u));
  let small = bitcast<vec4u>(vec4f(magnitude) * 5.9604644775390625e-8);
  let bits = select((magnitude << vec4u(13u)) + large, small, magnitude < vec4u(0x0400u));
  return bitcast<vec4f>(bits | ((halves & vec4u(0x8000u)) << vec4u(16u)));
}
