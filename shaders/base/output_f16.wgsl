// A float16 result where the device has f16, so that one element can be stored beside another's. Values pass as bits: an f16
// that is NaN or infinite may not be computed with.
// Needs: base/half.wgsl

alias OutputElement = f16;

fn output_element(bits: u32) -> OutputElement {
  return bitcast<vec2<f16>>(narrowed(bits)).x;
}

fn output_bits(element: OutputElement) -> u32 {
  return bitcast<u32>(f32(element));
}
