// What slopes, the derivatives by a linear head's logits, add to its gradients. By the features: slopes (rows, classes) x weight (classes,
// depth). TURNED, by a weight: slopes transposed x features (rows, depth); and by a bias, their sums. What is multiplied is bound as
// `weight` in both. The lanes of a group, or one alone, make a tile of 4 rows of the result by 8 features, in one order of summation: products in
// blocks of 256 a lane, then blocks, then lanes, then calls.
// Twin: src/cpu/add-product.ts
// Needs: base/lanes.wgsl, base/across_lanes.wgsl
// Seams: quads

struct Params {
  rows: u32,
  classes: u32, // of the chunk
  stride: u32,  // numbers from one row of the slopes to the next
  depth: u32,
  adds: u32,    // 0: the first call
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read> slopes: array<f32>;
@group(0) @binding(7) var<storage, read_write> gradient: array<f32>; // (rows, depth), or (classes, depth)
@group(0) @binding(8) var<storage, read_write> bias_gradient: array<f32>; // (classes)
@group(0) @binding(9) var<storage, read> states: array<u32>; // (rows, 16), lib/linear_state.wgsl
@group(0) @binding(10) var<storage, read> scales: array<f32>; // (classes), what a class's weights are multiplied by

override TURNED: bool = false;
override HAS_GRADIENT: bool = false;
override HAS_BIAS_GRADIENT: bool = false;
override HAS_STATES: bool = false;
override HAS_SCALES: bool = false;

// Whether a row has derivatives at all: of the others, whatever they hold, nothing may reach a gradient.
fn has_slopes(row: u32) -> bool {
  return !HAS_STATES || states[offsets.states + row * 16u + 15u] == 1u;
}

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let tall = select(params.rows, params.classes, TURNED);
  let across = select(1u, max(1u, (params.depth + 7u) >> 3u), HAS_GRADIENT);
  let place = lane_of(at, (tall + 3u) / 4u * across);
  let first = place.row / across * 4u;
  let quad = place.row % across * 2u;
  // Those past the last repeat the last.
  let lines = min(first + vec4u(0u, 1u, 2u, 3u), vec4u(tall - 1u));
  if (HAS_BIAS_GRADIENT && quad == 0u && place.inside && place.lane == 0u) {
    add_biases(first, lines);
  }
  if (HAS_GRADIENT && params.depth > 0u) {
    add_products(at, place, first, lines, quad, tall);
  }
}

// Of four lines of the result, what step n multiplies.
fn slopes_at(lines: vec4u, n: u32) -> vec4f {
  let i = offsets.slopes + select(lines * params.stride + n, n * params.stride + lines, TURNED);
  let four = vec4f(slopes[i.x], slopes[i.y], slopes[i.z], slopes[i.w]);
  if (HAS_SCALES) {
    return four * scales[offsets.scales + n];
  }
  return four;
}

fn add_biases(first: u32, lines: vec4u) {
  var sums = vec4f();
  for (var block = 0u; block < params.rows; block += 256u) {
    var part = vec4f();
    for (var row = block; row < min(block + 256u, params.rows); row++) {
      part += slopes_at(lines, row);
    }
    sums += part;
  }
  for (var c = first; c < min(first + 4u, params.classes); c++) {
    let at = offsets.bias_gradient + c;
    var sum = sums[c - first];
    if (params.adds == 1u) {
      sum += bias_gradient[at];
    }
    bias_gradient[at] = sum;
  }
}

fn add_products(at: Invocation, place: Lane, first: u32, lines: vec4u, quad: u32, tall: u32) {
  let right_quad = min(quad + 1u, (params.depth + 3u) / 4u - 1u);
  let stand_in = first_with_slopes();
  let steps = select(params.classes, select(0u, params.rows, stand_in < params.rows), TURNED);
  var left = mat4x4f();
  var right = mat4x4f();
  for (var block = 2u * place.lane; block < steps; block += 256u * LANES) {
    var left_part = mat4x4f();
    var right_part = mat4x4f();
    // Two steps at a time: a loop costs a software adapter more by what it carries, here 32 sums, than by the products. One at a time took a
    // fifth longer, four a quarter.
    for (var n = block; n < min(block + 256u * LANES, steps); n += 2u * LANES) {
      let next = min(n + 1u, steps - 1u);
      let a = slopes_at(lines, n);
      let b = select(vec4f(), slopes_at(lines, next), n + 1u < steps);
      let pairs = mat4x2f(a.x, b.x, a.y, b.y, a.z, b.z, a.w, b.w);
      let i = multiplied(n, stand_in);
      let j = multiplied(next, stand_in);
      left_part += mat2x4f(weight_quad(i, quad), weight_quad(j, quad)) * pairs;
      right_part += mat2x4f(weight_quad(i, right_quad), weight_quad(j, right_quad)) * pairs;
    }
    left += left_part;
    right += right_part;
  }
  for (var i = 0u; i < 4u; i++) {
    let left_sum = lane_four_sums(at, left[i]);
    let right_sum = lane_four_sums(at, right[i]);
    if (first + i < tall && place.inside && place.lane == 0u) {
      put(first + i, quad, left_sum);
      put(first + i, quad + 1u, right_sum);
    }
  }
}

// The first row that has slopes, or the number of rows.
fn first_with_slopes() -> u32 {
  var row = 0u;
  while (TURNED && row < params.rows && !has_slopes(row)) {
    row++;
  }
  return row;
}

// What step n multiplies. Slopes of 0 times features that are not finite would be NaN: a row without slopes multiplies those of one that has
// some, whose own products are NaN where these are.
fn multiplied(n: u32, stand_in: u32) -> u32 {
  return weight_start(select(n, stand_in, TURNED && !has_slopes(n)));
}

// Unrolled: the numbers of a vector that a loop walks over lie in memory on software adapters.
fn put(line: u32, quad: u32, sums: vec4f) {
  let counts = TURNED || has_slopes(line);
  let d = 4u * quad;
  put_one(line, d, sums.x, counts);
  put_one(line, d + 1u, sums.y, counts);
  put_one(line, d + 2u, sums.z, counts);
  put_one(line, d + 3u, sums.w, counts);
}

fn put_one(line: u32, d: u32, sum: f32, counts: bool) {
  if (d < params.depth) {
    let at = offsets.gradient + line * params.depth + d;
    gradient[at] = select(0.0, sum + select(0.0, gradient[at], params.adds == 1u), counts);
  }
}
