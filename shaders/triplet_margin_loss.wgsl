// The triplet margin loss of anchor a, positive p and negative n, which are the inputs 0, 1 and 2:
//
//   loss = max(0, margin + far(a, p) - far(a, n)), far(a, b) = (sum of |a - b + eps|^p)^(1/p)
//
// With SWAP far(p, n) stands for far(a, n) where it is less; where they are equal, half of each, as PyTorch's minimum shares it.
// Twin: src/cpu/triplet-margin-loss.ts
// Needs: lib/embedding_loss.wgsl, lib/span.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  divided_by: f32,
  margin: f32,
  p: f32,
  eps: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

override SWAP: bool = false;

const ANCHOR_POSITIVE = 0u;
const ANCHOR_NEGATIVE = 1u;
const POSITIVE_NEGATIVE = 2u;

struct Terms {
  near: Span,
  far: Span,
  swapped: Span,
  share: f32, // of the negative's distance, how much is taken from the positive
  undefined: bool,
}

fn left(kind: u32, i: u32) -> u32 {
  if (kind == POSITIVE_NEGATIVE) {
    return x2_bits(i);
  }
  return load(i);
}

fn right(kind: u32, i: u32) -> u32 {
  if (kind == ANCHOR_POSITIVE) {
    return x2_bits(i);
  }
  return x3_bits(i);
}

fn gap(kind: u32, i: u32) -> f32 {
  return bitcast<f32>(left(kind, i)) - bitcast<f32>(right(kind, i)) + params.eps;
}

fn magnitude_at(kind: u32, i: u32) -> u32 {
  return max(magnitude_of(left(kind, i)), magnitude_of(right(kind, i)));
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let near = span_of(at, place.lane, start, ANCHOR_POSITIVE, params.p);
  let far = span_of(at, place.lane, start, ANCHOR_NEGATIVE, params.p);
  var swapped = far;
  var share = 0.0;
  if (SWAP) {
    swapped = span_of(at, place.lane, start, POSITIVE_NEGATIVE, params.p);
    share = select(select(0.0, 1.0, swapped.far < far.far), 0.5, swapped.far == far.far);
  }
  // Of two distances beyond float32, none is the longer.
  let chosen = select(far.far, swapped.far, share > 0.0);
  let lost = min(bitcast<u32>(near.far), bitcast<u32>(chosen)) >= INFINITY_BITS;
  return Terms(near, far, swapped, share, lost || near.undefined || far.undefined || swapped.undefined);
}

// What max(0, ...) is taken of.
fn short(terms: Terms) -> f32 {
  return params.margin + terms.near.far - select(terms.far.far, terms.swapped.far, terms.share > 0.0);
}

fn loss_bits(terms: Terms) -> u32 {
  return select(bitcast<u32>(max(0.0, short(terms))), NAN_BITS, terms.undefined);
}

// The derivative by a gap of one kind.
fn slope_of(terms: Terms, kind: u32, i: u32) -> f32 {
  if (kind == ANCHOR_POSITIVE) {
    return span_slope(terms.near, gap(kind, i), params.p);
  }
  if (kind == ANCHOR_NEGATIVE) {
    return -(1.0 - terms.share) * span_slope(terms.far, gap(kind, i), params.p);
  }
  if (terms.share == 0.0) {
    return 0.0;
  }
  return -terms.share * span_slope(terms.swapped, gap(kind, i), params.p);
}

fn slope_bits(terms: Terms, operand: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  if (short(terms) < 0.0) {
    return 0u;
  }
  switch operand {
    case 0u: {
      return bitcast<u32>(slope_of(terms, ANCHOR_POSITIVE, i) + slope_of(terms, ANCHOR_NEGATIVE, i));
    }
    case 1u: {
      return bitcast<u32>(slope_of(terms, POSITIVE_NEGATIVE, i) - slope_of(terms, ANCHOR_POSITIVE, i));
    }
    default: {
      return bitcast<u32>(-slope_of(terms, ANCHOR_NEGATIVE, i) - slope_of(terms, POSITIVE_NEGATIVE, i));
    }
  }
}
