// float16 input, two to a word. A result goes out as a float and is narrowed afterwards (narrow.wgsl), since the two halves
// of a word may belong to two rows.
// Needs: lib/half.wgsl

alias InputElement = u32;
alias OutputElement = u32;

fn input_slot(i: u32) -> u32 {
  return i >> 1u;
}

fn input_bits(element: InputElement, i: u32) -> u32 {
  return widened((element >> ((i & 1u) * 16u)) & 0xffffu);
}

fn output_element(bits: u32) -> OutputElement {
  return bits;
}
