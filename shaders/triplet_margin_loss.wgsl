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

// The kinds of gaps join inputs 0 and 1, 0 and 2, 1 and 2. What is done for each is in a loop, once: written out for all kinds and
// derivatives, this kernel took a software adapter 0.6 to 2.4 s to compile, and without SWAP hardly less.
const NEAR = 0u;
const FAR = 1u;
const SWAPPED = 2u;
const KINDS = 3u;

struct Terms {
  spans: array<Span, KINDS>,
  share: f32, // of the negative's distance, how much is taken from the positive
  short: f32, // what max(0, ...) is taken of
  undefined: bool,
}

fn kinds() -> u32 {
  return select(SWAPPED, KINDS, SWAP);
}

// Of the two inputs that a kind joins.
fn first_of(kind: u32) -> u32 {
  return kind / 2u;
}

fn second_of(kind: u32) -> u32 {
  return min(kind + 1u, 2u);
}

fn gap_at(kind: u32, i: u32) -> Gap {
  let bits = vec3u(load(i), x2_bits(i), x3_bits(i));
  let a = bits[first_of(kind)];
  let b = bits[second_of(kind)];
  return Gap(bitcast<f32>(a) - bitcast<f32>(b) + params.eps, max(magnitude_of(a), magnitude_of(b)));
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  var spans: array<Span, KINDS>;
  var undefined = false;
  for (var kind = 0u; kind < kinds(); kind++) {
    spans[kind] = span_of(at, place.lane, start, kind, params.p);
    undefined |= spans[kind].undefined;
  }
  var share = 0.0;
  if (SWAP) {
    share = 0.5 * (f32(spans[SWAPPED].far <= spans[FAR].far) + f32(spans[SWAPPED].far < spans[FAR].far));
  }
  // Of two distances beyond float32, none is the longer.
  let chosen = select(spans[FAR].far, spans[SWAPPED].far, share > 0.0);
  let lost = min(bitcast<u32>(spans[NEAR].far), bitcast<u32>(chosen)) >= INFINITY_BITS;
  return Terms(spans, share, params.margin + spans[NEAR].far - chosen, lost || undefined);
}

fn loss_bits(terms: Terms) -> u32 {
  return select(bitcast<u32>(max(0.0, terms.short)), NAN_BITS, terms.undefined);
}

fn slope_bits(terms: Terms, operand: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  if (terms.short < 0.0) {
    return 0u;
  }
  var spans = terms.spans;
  var slope = 0.0;
  for (var kind = 0u; kind < kinds(); kind++) {
    let side = f32(operand == first_of(kind)) - f32(operand == second_of(kind));
    let by_distance = select(select(-terms.share, terms.share - 1.0, kind == FAR), 1.0, kind == NEAR); // of the loss
    let factor = side * by_distance;
    if (factor != 0.0) {
      slope += factor * span_slope(spans[kind], gap_at(kind, i).value, params.p);
    }
  }
  return bitcast<u32>(slope);
}
