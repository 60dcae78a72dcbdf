// Elements of four bytes: float32, int32, uint32.

alias InputElement = u32;
alias OutputElement = u32;

fn input_slot(i: u32) -> u32 {
  return i;
}

fn input_bits(element: InputElement, i: u32) -> u32 {
  return element;
}

fn output_element(bits: u32) -> OutputElement {
  return bits;
}
