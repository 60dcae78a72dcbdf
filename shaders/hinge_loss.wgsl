// The hinge, an element at a time: with short = margin - t x, max(0, short), or its square. A target that is not -1 or 1 gives NaN.
// Twin: src/cpu/hinge-loss.ts
// Needs: lib/element_loss.wgsl, lib/margin.wgsl

struct Params {
  rows: u32,
  first_row: u32,
  divided_by: f32,
  margin: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

override SQUARED: bool = false;

fn loss_bits(x: u32, t: u32, i: u32) -> u32 {
  if (is_nan(x) || !is_sign(t)) {
    return NAN_BITS;
  }
  let loss = clamped(short_of(params.margin, t, x));
  if (SQUARED) {
    return product_bits(loss, loss);
  }
  return loss;
}

fn derivative_bits(x: u32, t: u32, i: u32) -> u32 {
  if (is_nan(x) || !is_sign(t)) {
    return NAN_BITS;
  }
  let short = short_of(params.margin, t, x);
  if (!is_short(short)) {
    return 0u;
  }
  let minus = t ^ 0x80000000u;
  if (SQUARED) {
    return product_bits(product_bits(bitcast<u32>(2.0), minus), short);
  }
  return minus;
}
