// What every optimizer's step begins with: a parameter, an element an invocation, and its gradient. Numbers pass as bits.
// The kernel declares params with weight_decay.
// Needs: base/bits.wgsl

@group(0) @binding(3) var<storage, read_write> parameter: array<u32>;
@group(0) @binding(4) var<storage, read> gradient: array<u32>;

// The gradient of an element, and what weight decay adds to it.
fn slope_of(element: u32) -> u32 {
  let slope = gradient[offsets.gradient + element];
  if (params.weight_decay == 0.0) {
    return slope;
  }
  return sum_bits(slope, times(parameter[offsets.parameter + element], params.weight_decay));
}

fn times(bits: u32, factor: f32) -> u32 {
  return product_bits(bits, bitcast<u32>(factor));
}

fn sum_bits(a: u32, b: u32) -> u32 {
  return difference_bits(a, b ^ 0x80000000u);
}
