// The squared error, an element at a time: (x - t)^2, with derivative 2 (x - t).
// Twin: src/cpu/mean-squared-error.ts
// Needs: lib/element_loss.wgsl

struct Params {
  rows: u32,
  first_row: u32,
  divided_by: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

fn loss_bits(x: u32, t: u32, i: u32) -> u32 {
  let error = difference_bits(x, t);
  return product_bits(error, error);
}

fn derivative_bits(x: u32, t: u32, i: u32) -> u32 {
  return product_bits(bitcast<u32>(2.0), difference_bits(x, t));
}
