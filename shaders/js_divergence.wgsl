// Jensen-Shannon divergence of the softmaxes p and q of two matrices of logits (Lin 1991, Divergence Measures Based on the Shannon
// Entropy, eq. 4.1 with equal weights), with m = (p + q) / 2:
//
//   loss = sum of (p log(p / m) + q log(q / m)) / 2
//   d loss / d a_c = p_c (log(p_c / m_c) - sum of p_k log(p_k / m_k)) / 2, and likewise by b with q
//
// All follows from r = log(p / q): with t = tanh(r / 2), p / m = 1 + t and q / m = 1 - t. Where p and q are near,
// p log(p / m) + q log(q / m) = m (t^2 / 1 + t^4 / 6 + t^6 / 15 + ...), in which nothing cancels.
//
// Of nearly equal rows, r is small, and the rounding of log-sum-exps would be all of it. It is the difference of the logits, which is
// nearly exact, less that of the log-sum-exps, which follows from sum of q exp(r) = 1. Where the rows lie far from each other by the same
// offset at all classes, the distances to the maxima stand in for the logits, and are rounded: r is off by up to 2^-22 x distance, and a
// loss near 0 by that over r (measured 1.3e-5 where the rows differ by 1e-3, 1.2e-4 where by 1e-4).
//
// Where most of p lies at classes of little q, log(p / m) is nearly log 2 at all of them, and its differences from its mean are small: there
// log(p / m) - log 2 = -log(1 + q / p) is taken in its place, since what is the same for all classes changes no difference.
// Twin: src/cpu/js-divergence.ts
// Needs: base/row_sum.wgsl, base/row_loss.wgsl, lib/expm1.wgsl, lib/centred.wgsl, base/across_lanes.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  divided_by: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> gradient_a: array<u32>; // (rows, classes)
@group(0) @binding(7) var<storage, read_write> gradient_b: array<u32>; // (rows, classes)

override HAS_GRADIENT_A: bool = false;

struct Terms {
  a: RowSum,
  b: RowSum,
  shift: f32, // log(total of b) - log(total of a)
  far: vec2<bool>, // whether most of p lies at classes of less q, and of q at classes of less p
  start: u32,
  loss: f32,
  mean_a: vec2f, // of log(p / m) under p, less log 2 where it is far
  mean_b: vec2f, // of log(q / m) under q, likewise
}

// One class in both rows.
struct Pair {
  p: f32,
  q: f32,
  r: f32, // log(p / q); 0 where both are 0
}

// Differences of logarithms up to this are near.
const NEAR = 0.5;

fn pair_at(i: u32, terms: Terms) -> Pair {
  reads_other = false;
  let bits_a = logit(i);
  reads_other = true;
  let bits_b = logit(i);
  let a = distance(bits_a, terms.a);
  let b = distance(bits_b, terms.b);
  let p = exp_negative(-a) / (terms.a.ties + terms.a.rest);
  let q = exp_negative(-b) / (terms.b.ties + terms.b.rest);
  if (a == INFINITELY_FAR || b == INFINITELY_FAR) {
    return Pair(p, q, select(select(INFINITELY_FAR, -INFINITELY_FAR, a == INFINITELY_FAR), 0.0, a == b));
  }
  let r = (b - a) + terms.shift;
  if (abs(r) > NEAR) {
    return Pair(p, q, r);
  }
  // Halves cannot overflow. Logits that lie nearer to each other than to their maxima have the more exact difference.
  let apart = 0.5 * bitcast<f32>(bits_a) - 0.5 * bitcast<f32>(bits_b);
  if (2.0 * abs(apart) > max(a, b)) {
    return Pair(p, q, r);
  }
  return Pair(p, q, 2.0 * (apart - (0.5 * terms.a.maximum - 0.5 * terms.b.maximum)) + terms.shift);
}

// log(p / m) and log(q / m); and less log 2.
struct Logarithms {
  whole: vec2f,
  less: vec2f,
}

fn logarithms(r: f32) -> Logarithms {
  let size = abs(r);
  let e = exp_negative(-size);
  let t = select((1.0 - e) / (1.0 + e), tanh_near(min(0.5 * size, 0.5)), size <= 1.0);
  let down = select(vec2f(size, 0.0), vec2f(0.0, size), r > 0.0);
  return Logarithms(log1p_positive(t) - down, -log1p_positive(e) - down);
}

// p log(p / m) + q log(q / m)
fn both(pair: Pair, logs: vec2f) -> f32 {
  if (abs(pair.r) > 1.0) {
    return pair.p * logs.x + pair.q * logs.y;
  }
  let t = tanh_near(0.5 * pair.r);
  let w = t * t;
  var series = 0.010989011 + w * 0.008333334;
  series = 0.015151516 + w * series;
  series = 0.022222223 + w * series;
  series = 0.035714287 + w * series;
  series = 0.06666667 + w * series;
  series = 0.16666667 + w * series;
  return 0.5 * (pair.p + pair.q) * (w + w * w * series);
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  reads_other = false;
  let a = row_sum(at, place);
  reads_other = true;
  let b = row_sum(at, place);
  var terms = Terms(a, b, log_total(b) - log_total(a), vec2<bool>(false), start, 0.0, vec2f(0.0), vec2f(0.0));
  survey(at, place.lane, &terms);
  add_all(at, place.lane, &terms);
  return terms;
}

// Takes what sum of q exp(r) is beyond 1 from the shift, where all classes are near; and finds what is far.
fn survey(at: Invocation, lane: u32, terms: ptr<function, Terms>) {
  var sum = vec3f(0.0); // q (exp(r) - 1), p where it is the larger, q where it is the larger
  var block = vec3f(0.0);
  var apart = 0u;
  var visited = 0u;
  for (var c = lane; c < params.classes; c += LANES) {
    let pair = pair_at((*terms).start + c * params.inner, *terms);
    apart |= u32(abs(pair.r) > NEAR);
    let larger = select(vec2f(0.0), vec2f(pair.p, pair.q), vec2<bool>(pair.r > NEAR, pair.r < -NEAR));
    block += vec3f(pair.q * expm1_near(clamp(pair.r, -NEAR, NEAR)), larger);
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = vec3f(0.0);
    }
  }
  sum += block;
  let excess = lane_sum(at, sum.x);
  (*terms).far = lane_sums(at, sum.yz) > vec2f(0.5);
  apart = lane_maximum(at, apart);
  (*terms).shift -= select(excess, 0.0, apart == 1u);
}

fn add_all(at: Invocation, lane: u32, terms: ptr<function, Terms>) {
  var sum = array<vec2f, 3>(); // means of a and b, loss, each in two parts
  var block = array<vec2f, 3>();
  var visited = 0u;
  for (var c = lane; c < params.classes; c += LANES) {
    let pair = pair_at((*terms).start + c * params.inner, *terms);
    let logs = logarithms(pair.r);
    let values = select(logs.whole, logs.less, (*terms).far);
    let loss = in_parts(both(pair, logs.whole), max(pair.p, pair.q) > 0.5);
    let parts = array<vec2f, 3>(mean_part(values.x, pair.p), mean_part(values.y, pair.q), loss);
    for (var n = 0u; n < 3u; n++) {
      block[n] += parts[n];
    }
    visited++;
    if ((visited & 255u) == 0u) {
      for (var n = 0u; n < 3u; n++) {
        sum[n] += block[n];
      }
      block = array<vec2f, 3>();
    }
  }
  for (var n = 0u; n < 3u; n++) {
    sum[n] = lane_sums(at, sum[n] + block[n]);
  }
  (*terms).mean_a = sum[0];
  (*terms).mean_b = sum[1];
  (*terms).loss = 0.5 * (sum[2].x + sum[2].y);
}

// 1 - p; of a p above 1/2, which is a maximum alone, with nothing subtracted.
fn others_of(p: f32, row: RowSum) -> f32 {
  return select(1.0 - p, row.rest / (row.ties + row.rest), p > 0.5);
}

fn has_no_answer(terms: Terms) -> bool {
  return is_undefined(terms.a) || is_undefined(terms.b);
}

fn is_ignored(terms: Terms) -> bool {
  return false;
}

fn loss_bits(terms: Terms) -> u32 {
  return select(bitcast<u32>(terms.loss), NAN_BITS, has_no_answer(terms));
}

// There is no output: finish_row stores both gradients.
fn derivatives(terms: Terms, c: vec4u, i: vec4u, bits: vec4u) -> vec4u {
  return vec4u(0u);
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {
  if (!HAS_GRADIENT_A) {
    return;
  }
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = terms.start + c * params.inner;
    let pair = pair_at(i, terms);
    let logs = logarithms(pair.r);
    let values = select(logs.whole, logs.less, terms.far);
    let a = 0.5 * pair.p * centred(values.x, pair.p, others_of(pair.p, terms.a), terms.mean_a);
    let b = 0.5 * pair.q * centred(values.y, pair.q, others_of(pair.q, terms.b), terms.mean_b);
    let bits = select(bitcast<vec2u>(vec2f(a, b)), vec2u(NAN_BITS), has_no_answer(terms));
    gradient_a[offsets.gradient_a + i] = select(0u, product_bits(bits.x, scale), slopes);
    gradient_b[offsets.gradient_b + i] = select(0u, product_bits(bits.y, scale), slopes);
  }
}
