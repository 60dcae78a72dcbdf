// float16 input that is overwritten in place, where it must have the element type of the result.
// Needs: base/half.wgsl

alias InputElement = f16;

fn input_slot(i: u32) -> u32 {
  return i;
}

fn input_bits(element: InputElement, i: u32) -> u32 {
  return widened(bitcast<u32>(vec2<f16>(element, 0.0h)) & 0xffffu);
}
