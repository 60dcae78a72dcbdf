// The hinge of distances, an element at a time: x where the target is 1, max(0, margin - x) where it is -1, NaN for other targets.
// Twin: src/cpu/hinge-embedding-loss.ts
// Needs: lib/element_loss.wgsl, lib/margin.wgsl

struct Params {
  rows: u32,
  first_row: u32,
  divided_by: f32,
  margin: f32,
}

const ONE = 0x3f800000u;

@group(0) @binding(2) var<uniform> params: Params;

fn loss_bits(x: u32, t: u32, i: u32) -> u32 {
  if (is_nan(x) || !is_sign(t)) {
    return NAN_BITS;
  }
  return select(clamped(short_of(params.margin, ONE, x)), x, t == ONE);
}

fn derivative_bits(x: u32, t: u32, i: u32) -> u32 {
  if (is_nan(x) || !is_sign(t)) {
    return NAN_BITS;
  }
  let slope = select(0u, t, is_short(short_of(params.margin, ONE, x)));
  return select(slope, ONE, t == ONE);
}
