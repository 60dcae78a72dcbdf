// Input of four bytes an element: float32, int32, uint32.

alias InputElement = u32;

fn input_slot(i: u32) -> u32 {
  return i;
}

fn input_bits(element: InputElement, i: u32) -> u32 {
  return element;
}
