// The derivative by the logits of logSoftmax(logits / temperature), given its log-probabilities and the derivative u by them:
//
//   (u_c - p_c sum of u_k) / temperature = ((1 - p_c) sum of u_k - sum of the others' u_k) / temperature
//
// Classes with p above 1/2, of which there is one at the most, are kept out of the sum, and take the second form, with 1 - p from the
// log-probability: beside p near 1, the first leaves no digit.
// Twin: src/cpu/log-softmax-gradient.ts
// Needs: base/row_sum.wgsl, lib/upstream_matrix.wgsl, lib/expm1.wgsl, base/across_lanes.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

// The logarithm of 1/2: above it, a class is kept out of the sum.
const LOG_HALF = -0.6931472;

struct Sums {
  around: f32, // sum of u but for classes with p above 1/2
  most: f32,   // that of those classes
  undefined: bool,
}

// The log-probability at element i; a masked class is as far down as a float reaches.
fn log_probability(i: u32) -> f32 {
  let bits = load(i);
  return bitcast<f32>(select(bits, 0xff7fffffu, bits == NEGATIVE_INFINITY_BITS));
}

fn sums(at: Invocation, place: Lane, start: u32) -> Sums {
  let row = row_maximum(at, place);
  var sum = vec2f(0.0); // around, most
  var block = vec2f(0.0);
  var bad = 0u;
  var visited = 0u;
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let bits = upstream_bits(i);
    bad |= u32(magnitude_of(bits) >= INFINITY_BITS);
    let u = bitcast<f32>(bits);
    block += select(vec2f(u, 0.0), vec2f(0.0, u), log_probability(i) > LOG_HALF);
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = vec2f(0.0);
    }
  }
  sum = lane_sums(at, sum + block);
  bad = lane_maximum(at, bad);
  return Sums(sum.x, sum.y, is_undefined(row) || bad == 1u);
}

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = row_start(place.row, params.classes, params.inner);
  let total = sums(at, place, start);
  if (!place.inside) {
    return;
  }
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let log_p = log_probability(i);
    let u = bitcast<f32>(upstream_bits(i));
    let sum = total.around + total.most;
    var slope = 0.0;
    if (log_p > LOG_HALF) {
      slope = missing(log_p) * sum - total.around - (total.most - u);
    } else {
      slope = u - exp_negative(log_p) * sum;
    }
    store(i, select(bitcast<u32>(slope * params.inverse_temperature), NAN_BITS, total.undefined));
  }
}

// 1 - p; what is given as a log-probability may be above 0 by rounding, or be none.
fn missing(log_p: f32) -> f32 {
  if (log_p < 1.0) {
    return -expm1_near(log_p);
  }
  return 1.0 - 1.0 / exp_negative(-min(log_p, 87.0));
}
