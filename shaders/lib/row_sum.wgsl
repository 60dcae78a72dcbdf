// The maximum of a row and the sum of exponentials beside it: what softmax, log-sum-exp and every loss of logits begin with.
//
// A row's softmax is exp((x - maximum) / temperature) / (ties + rest), where `ties` counts the classes that equal the maximum
// and `rest` is the sum over the others. Kept apart, the sum beside one maximum is (ties - 1) + rest with no digit lost to
// subtraction, which is all that the loss of a confident row consists of. Sums are closed every 256 terms, so that rounding does
// not grow with the number of classes.
//
// The kernel declares `params` with classes, inner, inverse_temperature, clean_below and far (src/operations/temperature.ts).
// Needs: lib/bits.wgsl, lib/exp.wgsl, lib/lanes.wgsl, lib/log1p.wgsl, lib/softcap.wgsl
// Seams: io, reduce

// The bits of the logit at element i, as the softmax is to see it.
fn logit(i: u32) -> u32 {
  return softcapped(load(i));
}

const ROW_CLEAN = 0u;      // every logit is finite, and no difference can overflow
const ROW_CAREFUL = 1u;    // -infinity (a masked class) or very large logits: where distance() takes care
const ROW_ALL_MASKED = 2u; // nothing but -infinity
const ROW_INFINITE = 3u;   // +infinity and no NaN
const ROW_NAN = 4u;

struct RowSum {
  maximum: f32,
  ties: f32,
  rest: f32,
  kind: u32,
}

// A row without a softmax: every number made of it is NaN.
fn is_undefined(row: RowSum) -> bool {
  return row.kind >= ROW_ALL_MASKED;
}

// Finite floats and infinities as integers in the order of their values, and back. (A NaN is told by its magnitude.)
fn ascending(bits: u32) -> u32 {
  return bits ^ (u32(i32(bits) >> 31u) | 0x80000000u);
}

fn ascended(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}

// What distance() gives for a masked class, and where the distance is more than a float can hold.
const INFINITELY_FAR = 3.4028234e38;

// (maximum - x) / temperature, from 0 up.
fn distance(bits: u32, row: RowSum) -> f32 {
  let x = bitcast<f32>(bits);
  if (row.kind == ROW_CLEAN) {
    return (row.maximum - x) * params.inverse_temperature;
  }
  if (bits == NEGATIVE_INFINITY_BITS) {
    return INFINITELY_FAR;
  }
  let half = 0.5 * row.maximum - 0.5 * x; // cannot overflow
  if (half > params.far) {
    return INFINITELY_FAR;
  }
  return 2.0 * (half * params.inverse_temperature);
}

// The exponential of a logit below the maximum.
fn exponential(bits: u32, row: RowSum) -> f32 {
  return exp_negative(-distance(bits, row));
}

fn row_kind(maximum_key: u32, magnitude: u32) -> u32 {
  if (magnitude < params.clean_below) {
    return ROW_CLEAN;
  }
  if (magnitude > INFINITY_BITS) {
    return ROW_NAN;
  }
  if (maximum_key == ascending(INFINITY_BITS)) {
    return ROW_INFINITE;
  }
  return select(ROW_CAREFUL, ROW_ALL_MASKED, maximum_key == ascending(NEGATIVE_INFINITY_BITS));
}

// The maximum of a row and its kind; what is beside the maximum is left at 0.
fn row_maximum(at: Invocation, lane: u32, start: u32) -> RowSum {
  var top = vec2u(0u); // the largest value, ascending; the largest magnitude
  for (var c = lane; c < params.classes; c += LANES) {
    let bits = logit(start + c * params.inner);
    top = max(top, vec2u(ascending(bits), magnitude_of(bits)));
  }
  top = reduced(at, MERGE_MAX, top);
  return RowSum(ascended(top.x), 0.0, 0.0, row_kind(top.x, top.y));
}

fn row_sum(at: Invocation, lane: u32, start: u32) -> RowSum {
  var row = row_maximum(at, lane, start);
  var sum = vec2f(0.0); // ties and rest
  var block = vec2f(0.0);
  var terms = 0u;
  for (var c = lane; c < params.classes; c += LANES) {
    let bits = logit(start + c * params.inner);
    let tie = bitcast<f32>(bits) == row.maximum;
    block += select(vec2f(0.0, exponential(bits, row)), vec2f(1.0, 0.0), tie);
    terms++;
    if ((terms & 255u) == 0u) {
      sum += block;
      block = vec2f(0.0);
    }
  }
  sum = bitcast<vec2f>(reduced(at, MERGE_SUM, bitcast<vec2u>(sum + block)));
  row.ties = sum.x;
  row.rest = sum.y;
  return row;
}

// exp((x - maximum) / temperature), 1 for a maximum; and what the others of its row sum to, taken from the class's own side:
// beside a maximum nothing is subtracted.
struct Share {
  own: f32,
  others: f32,
}

fn share_of(bits: u32, row: RowSum) -> Share {
  if (bitcast<f32>(bits) == row.maximum) {
    return Share(1.0, (row.ties - 1.0) + row.rest);
  }
  let own = exponential(bits, row);
  return Share(own, (row.ties + row.rest) - own);
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
