// What the bits of a float say. WGSL may assume that no NaN and no infinity occurs, so comparing floats cannot find them.

const NAN_BITS = 0x7fc00000u;
const INFINITY_BITS = 0x7f800000u;
const NEGATIVE_INFINITY_BITS = 0xff800000u;

fn magnitude_of(bits: u32) -> u32 {
  return bits & 0x7fffffffu;
}

fn magnitudes_of(bits: vec4u) -> vec4u {
  return bits & vec4u(0x7fffffffu);
}

fn largest_of(values: vec4u) -> u32 {
  let two = max(values.xy, values.zw);
  return max(two.x, two.y);
}

// The same number, with one sign for both zeros.
fn positive_zero(bits: u32) -> u32 {
  return select(bits, 0u, magnitude_of(bits) == 0u);
}

fn is_nan(bits: u32) -> bool {
  return magnitude_of(bits) > INFINITY_BITS;
}

// a x b as bits, as IEEE 754 has it also where one of them is infinite or NaN. By selection, since four branches take a software
// adapter longer than all the arithmetic of a gradient.
fn product_of_bits(a: vec4u, b: u32) -> vec4u {
  let larger = max(magnitudes_of(a), vec4u(magnitude_of(b)));
  let smaller = min(magnitudes_of(a), vec4u(magnitude_of(b)));
  let nan = (larger > vec4u(INFINITY_BITS)) | (smaller == vec4u(0u));
  let special = select(vec4u(INFINITY_BITS) | ((a ^ vec4u(b)) & vec4u(0x80000000u)), vec4u(NAN_BITS), nan);
  let product = bitcast<vec4u>(bitcast<vec4f>(a) * bitcast<f32>(b));
  return select(special, product, larger < vec4u(INFINITY_BITS));
}

fn product_bits(a: u32, b: u32) -> u32 {
  return product_of_bits(vec4u(a), b).x;
}

// a / b as bits, likewise.
fn quotient_bits(a: u32, b: u32) -> u32 {
  let larger = max(magnitude_of(a), magnitude_of(b));
  if (larger < INFINITY_BITS && magnitude_of(b) != 0u) {
    return bitcast<u32>(bitcast<f32>(a) / bitcast<f32>(b));
  }
  if (larger > INFINITY_BITS || magnitude_of(a) == magnitude_of(b)) {
    return NAN_BITS;
  }
  return select(INFINITY_BITS, 0u, magnitude_of(b) == INFINITY_BITS) | ((a ^ b) & 0x80000000u);
}

// a - b as bits, as IEEE 754 has it.
fn difference_bits(a: u32, b: u32) -> u32 {
  if (max(magnitude_of(a), magnitude_of(b)) < INFINITY_BITS) {
    return bitcast<u32>(bitcast<f32>(a) - bitcast<f32>(b));
  }
  if (is_nan(a) || is_nan(b) || a == b) {
    return NAN_BITS;
  }
  return select(b ^ 0x80000000u, a, magnitude_of(a) == INFINITY_BITS);
}
