// The frame of every loss of two or three inputs of one shape: one loss a row, and its derivative by each input, over the frame of
// row losses. Input 0 is `input` and its derivative `output`; the others are bound here, and their derivatives are float bits.
//
// The kernel declares what row_loss.wgsl asks for, but for derivative_bits, is_ignored and finish_row, and says:
//   fn slope_bits(terms: Terms, operand: u32, i: u32) -> u32   the derivative by element i of an input
// Twin: src/cpu/embedding-loss.ts
// Needs: base/bits.wgsl, base/half.wgsl, base/row_loss.wgsl, lib/derivative_each.wgsl
// Seams: io

@group(0) @binding(5) var<storage, read> x2: array<u32>; // as the input
@group(0) @binding(6) var<storage, read> x3: array<u32>; // as the input
@group(0) @binding(7) var<storage, read_write> x2_gradient: array<u32>;
@group(0) @binding(8) var<storage, read_write> x3_gradient: array<u32>;

override HALF_X2: bool = false;
override HALF_X3: bool = false;
override HAS_X2_GRADIENT: bool = false;
override HAS_X3_GRADIENT: bool = false;

fn x2_bits(i: u32) -> u32 {
  let at = offsets.x2 + i;
  if (HALF_X2) {
    return widened_at(x2[at >> 1u], at);
  }
  return x2[at];
}

fn x3_bits(i: u32) -> u32 {
  let at = offsets.x3 + i;
  if (HALF_X3) {
    return widened_at(x3[at >> 1u], at);
  }
  return x3[at];
}

fn is_ignored(terms: Terms) -> bool {
  return false;
}

fn derivative_bits(terms: Terms, c: u32, i: u32) -> u32 {
  return slope_bits(terms, 0u, i);
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {
  let start = row_start(place.row, params.classes, params.inner);
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    for (var operand = select(2u, 1u, HAS_X2_GRADIENT); operand <= select(1u, 2u, HAS_X3_GRADIENT); operand++) {
      let bits = select(0u, product_bits(slope_bits(terms, operand, i), scale), slopes);
      if (operand == 1u) {
        x2_gradient[offsets.x2_gradient + i] = bits;
      } else {
        x3_gradient[offsets.x3_gradient + i] = bits;
      }
    }
  }
}
