// Rows of features and of a weight, four numbers at a time: floats whose rows begin at multiples of 16 bytes, loaded whole.
// The kernel declares params with depth, the numbers of a row.

@group(0) @binding(0) var<storage, read> features: array<vec4f>; // (rows, depth)
@group(0) @binding(3) var<storage, read> weight: array<vec4f>; // (classes, depth)

// Where a row begins, as the functions below take it.
fn feature_start(row: u32) -> u32 {
  return (offsets.features + row * params.depth) >> 2u;
}

fn weight_start(row: u32) -> u32 {
  return (offsets.weight + row * params.depth) >> 2u;
}

fn feature_quad(start: u32, quad: u32) -> vec4f {
  return features[start + quad];
}

fn weight_quad(start: u32, quad: u32) -> vec4f {
  return weight[start + quad];
}
