// The contrastive loss of a pair, D being its Euclidean distance: D^2 / 2 where it is similar, max(0, margin - D)^2 / 2 where not.
// Twin: src/cpu/contrastive-loss.ts
// Needs: lib/embedding_loss.wgsl, lib/span.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  divided_by: f32,
  margin: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(10) var<storage, read> similar: array<u32>; // (rows), 0 or 1

struct Terms {
  apart: Span,
  is_similar: bool,
  undefined: bool,
}

fn gap_at(kind: u32, i: u32) -> Gap {
  let bits = vec2u(load(i), x2_bits(i));
  return Gap(bitcast<f32>(bits.x) - bitcast<f32>(bits.y), max(magnitude_of(bits.x), magnitude_of(bits.y)));
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let apart = span_of(at, place.lane, start, 0u, 2.0);
  let kind = similar[offsets.similar + place.row];
  return Terms(apart, kind == 1u, apart.undefined || kind > 1u);
}

fn loss_bits(terms: Terms) -> u32 {
  let far = select(max(0.0, params.margin - terms.apart.far), terms.apart.far, terms.is_similar);
  return select(bitcast<u32>(0.5 * far * far), NAN_BITS, terms.undefined);
}

fn slope_bits(terms: Terms, operand: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  var slope = gap_at(0u, i).value;
  if (!terms.is_similar) {
    slope = -max(0.0, params.margin - terms.apart.far) * span_slope(terms.apart, slope, 2.0);
  }
  return bitcast<u32>(select(slope, -slope, operand == 1u));
}
