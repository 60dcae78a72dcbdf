// The margin ranking loss, an element at a time: max(0, margin - t (x1 - x2)). A row has one element.
// Twin: src/cpu/margin-ranking-loss.ts
// Needs: lib/embedding_loss.wgsl, lib/signs.wgsl, lib/margin.wgsl

struct Params {
  rows: u32,
  classes: u32, // 1
  inner: u32,
  divided_by: f32,
  margin: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

struct Terms {
  short: u32, // margin - t (x1 - x2), as bits
  t: u32,
  undefined: bool,
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let t = sign_bits(place.row);
  let difference = difference_bits(load(start), x2_bits(start));
  let undefined = is_nan(difference) || !is_sign(t);
  return Terms(short_of(params.margin, t, difference), t, undefined);
}

fn loss_bits(terms: Terms) -> u32 {
  return select(clamped(terms.short), NAN_BITS, terms.undefined);
}

fn slope_bits(terms: Terms, operand: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  let slope = terms.t ^ select(0x80000000u, 0u, operand == 1u);
  return select(0u, slope, is_short(terms.short));
}
