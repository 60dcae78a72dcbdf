// float16 input, two to a word.
// Needs: base/half.wgsl

alias InputElement = u32;

fn input_slot(i: u32) -> u32 {
  return i >> 1u;
}

fn input_bits(element: InputElement, i: u32) -> u32 {
  return widened_at(element, i);
}
