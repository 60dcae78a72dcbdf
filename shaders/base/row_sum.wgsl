// The maximum of a row and the sum of exponentials beside it: what softmax, log-sum-exp and every loss of logits begin with.
//
// A row's softmax is exp((x - maximum) / temperature) / (ties + rest), where `ties` counts the classes that equal the maximum
// and `rest` is the sum over the others. Kept apart, the sum beside one maximum is (ties - 1) + rest with no digit lost to
// subtraction, which is all that the loss of a confident row consists of.
//
// A row is read in one go: its classes are summed beside the maximum so far, and what was summed is scaled when a later one is larger
// (Milakov and Gimelshein 2018, Online normalizer calculation for softmax). Sums are closed every 256 terms, so that rounding does not
// grow with the number of classes.
//
// The kernel declares `params` with classes, inner, inverse_temperature and far (src/operations/temperature.ts).
// Needs: base/bits.wgsl, base/exp.wgsl, base/fours.wgsl, base/log1p.wgsl, base/across_lanes.wgsl
// Seams: exponentials, io, reduce, softcap, sums

// The bits of the logit at element i, as the softmax is to see it.
fn logit(i: u32) -> u32 {
  return softcapped(load(i));
}

const ROW_DEFINED = 0u;
const ROW_ALL_MASKED = 1u; // nothing but -infinity
const ROW_INFINITE = 2u;   // +infinity and no NaN
const ROW_NAN = 3u;

struct RowSum {
  maximum: f32,
  ties: f32,
  rest: f32,
  kind: u32,
}

// A row without a softmax: every number made of it is NaN.
fn is_undefined(row: RowSum) -> bool {
  return row.kind != ROW_DEFINED;
}

// Finite floats and infinities as integers in the order of their values, and back. (A NaN is told by its magnitude.)
fn ascendings(bits: vec4u) -> vec4u {
  return bits ^ (bitcast<vec4u>(bitcast<vec4i>(bits) >> vec4u(31u)) | vec4u(0x80000000u));
}

fn ascending(bits: u32) -> u32 {
  return ascendings(vec4u(bits)).x;
}

fn ascended(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}

// What distance() gives for a masked class, and where the distance is more than a float can hold; and the most that it gives else.
const INFINITELY_FAR = 3.40282346e38;
const FARTHEST = 3.40282326e38;

// Half of x - maximum, which cannot overflow; below -far, (x - maximum) / temperature is more than a float can hold.
// There are no branches here, which take longer on software adapters than what they leave out.
fn half_distances(bits: vec4u, maximum: f32) -> vec4f {
  let finite = bitcast<vec4f>(min(bits, vec4u(NEGATIVE_INFINITY_BITS - 1u)));
  return 0.5 * finite - 0.5 * maximum;
}

// (maximum - x) / temperature, from 0 up.
fn distances(bits: vec4u, row: RowSum) -> vec4f {
  let half = half_distances(bits, row.maximum);
  let far = (bits == vec4u(NEGATIVE_INFINITY_BITS)) | (half < vec4f(-params.far));
  let d = min(half * (-2.0 * params.inverse_temperature), vec4f(FARTHEST));
  return select(d, vec4f(INFINITELY_FAR), far);
}

fn distance(bits: u32, row: RowSum) -> f32 {
  return distances(vec4u(bits), row).x;
}

// The exponentials of logits below the maximum.
fn exponentials(bits: vec4u, maximum: f32) -> vec4f {
  let e = exp_negatives(max(half_distances(bits, maximum), vec4f(-params.far)) * (2.0 * params.inverse_temperature));
  return select(e, vec4f(0.0), bits == vec4u(NEGATIVE_INFINITY_BITS));
}

fn exponential(bits: u32, maximum: f32) -> f32 {
  let e = exp_negative(max(half_distances(vec4u(bits), maximum).x, -params.far) * (2.0 * params.inverse_temperature));
  return select(e, 0.0, bits == NEGATIVE_INFINITY_BITS);
}

fn row_kind(maximum_key: u32, magnitude: u32) -> u32 {
  if (magnitude > INFINITY_BITS) {
    return ROW_NAN;
  }
  if (maximum_key == ascending(INFINITY_BITS)) {
    return ROW_INFINITE;
  }
  return select(ROW_DEFINED, ROW_ALL_MASKED, maximum_key == ascending(NEGATIVE_INFINITY_BITS));
}

// What is known of some of a row's classes.
struct Part {
  top: vec2u,  // the largest value, ascending, and the largest magnitude
  sums: vec2f, // ties with that value, and the rest
}

fn row_of(part: Part) -> RowSum {
  return RowSum(ascended(part.top.x), part.sums.x, part.sums.y, row_kind(part.top.x, part.top.y));
}

// What sums beside one maximum are beside a larger one.
fn lowered(sums: vec2f, from_key: u32, to_key: u32) -> vec2f {
  return vec2f(0.0, (sums.x + sums.y) * exponential(bitcast<u32>(ascended(from_key)), ascended(to_key)));
}

// The same classes beside a maximum that is at least theirs.
fn beside(part: Part, top: vec2u) -> Part {
  let grown = max(part.top, top);
  if (grown.x == part.top.x || part.top.x == 0u) {
    return Part(grown, part.sums);
  }
  return Part(grown, lowered(part.sums, part.top.x, grown.x));
}

// Of fours there is one number each, not four: what a loop carries is what it costs a software adapter.

// The largest value, ascending, and the largest magnitude.
fn top_of_four(bits: vec4u) -> vec2u {
  return vec2u(largest_of(ascendings(bits)), largest_of(magnitudes_of(bits)));
}

// The largest of the fours from n to end, and no more of a sum.
fn top_of(fours: Fours, n: u32, end: u32) -> vec2u {
  var top = vec2u(0u);
  for (var j = n; j < end; j += PACE) {
    top = max(top, top_of_four(logits(take(fours, j))));
    if (PACE == 2u) {
      top = max(top, top_of_four(logits(take(fours, j + 1u))));
    }
  }
  return top;
}

// How many classes of a four equal the maximum, and the sum of the others' exponentials.
fn sums_of_four(fours: Fours, n: u32, bits: vec4u, maximum: f32) -> vec2f {
  let inside = are_inside(fours, n);
  let tie = bitcast<vec4f>(bits) == vec4f(maximum);
  let ties = select(vec4f(0.0), vec4f(1.0), tie & inside);
  let rest = select(vec4f(0.0), exponentials(bits, maximum), inside & !tie);
  return vec2f((ties.x + ties.y) + (ties.z + ties.w), (rest.x + rest.y) + (rest.z + rest.w));
}

const NO_TOP = vec2u(0x007fffffu, 0u); // -infinity

override TWICE: bool = false; // at most 256 classes a row, read for their maximum, then for their sum

// The maximum of a row and its kind; what is beside the maximum is left at 0.
fn row_maximum(at: Invocation, place: Lane) -> RowSum {
  let fours = fours_of(place);
  return row_of(Part(reduced(at, MERGE_MAX, top_of(fours, 0u, fours.count)), vec2f(0.0)));
}

fn strip_sum(at: Invocation, place: Lane) -> Part {
  let own = part_of(fours_of(place));
  if (LANES == 1u) {
    return own;
  }
  let top = reduced(at, MERGE_MAX, own.top);
  return Part(top, lane_sums(at, beside(own, top).sums));
}

// exp((x - maximum) / temperature), 1 for a maximum; and what the others of its row sum to, taken from the class's own side:
// beside a maximum nothing is subtracted.
struct Shares {
  own: vec4f,
  others: vec4f,
}

fn shares_of(bits: vec4u, row: RowSum) -> Shares {
  let tie = bitcast<vec4f>(bits) == vec4f(row.maximum);
  let own = select(exponentials(bits, row.maximum), vec4f(1.0), tie);
  return Shares(own, select((row.ties + row.rest) - own, vec4f((row.ties - 1.0) + row.rest), tie));
}

struct Share {
  own: f32,
  others: f32,
}

fn share_of(bits: u32, row: RowSum) -> Share {
  let shares = shares_of(vec4u(bits), row);
  return Share(shares.own.x, shares.others.x);
}

// log(ties + rest): the log-sum-exp less the maximum.
fn log_total(row: RowSum) -> f32 {
  return log1p_positive((row.ties - 1.0) + row.rest);
}

// The log-sum-exp as bits; of undefined rows, what their limit is.
fn log_sum_exp_bits(row: RowSum) -> u32 {
  switch row.kind {
    case ROW_ALL_MASKED: {
      return NEGATIVE_INFINITY_BITS;
    }
    case ROW_INFINITE: {
      return INFINITY_BITS;
    }
    case ROW_NAN: {
      return NAN_BITS;
    }
    default: {
      return bitcast<u32>(row.maximum * params.inverse_temperature + log_total(row));
    }
  }
}
