// float16 where the device has f16, so that one element can be stored beside another's. Values pass as bits: an f16 that
// is NaN or infinite may not be computed with.
// Needs: lib/half.wgsl

alias InputElement = f16;
alias OutputElement = f16;

fn input_slot(i: u32) -> u32 {
  return i;
}

fn input_bits(element: InputElement, i: u32) -> u32 {
  return widened(bitcast<u32>(vec2<f16>(element, 0.0h)) & 0xffffu);
}

fn output_element(bits: u32) -> OutputElement {
  return bitcast<vec2<f16>>(narrowed(bits)).x;
}
