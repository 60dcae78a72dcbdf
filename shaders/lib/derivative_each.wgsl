// The derivatives of a row's loss, for kernels that give them one by one:
//   fn derivative_bits(terms: Terms, c: u32, i: u32) -> u32   by class c, which is element i

fn derivatives(terms: Terms, c: vec4u, i: vec4u, bits: vec4u) -> vec4u {
  var slopes: vec4u;
  for (var k = 0u; k < 4u; k++) {
    slopes[k] = derivative_bits(terms, c[k], i[k]);
  }
  return slopes;
}
