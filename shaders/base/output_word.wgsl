// A result of four bytes an element: float32, int32, uint32. float16 too where the device has no f16 and the floats are narrowed
// afterwards (narrow.wgsl), since the two halves of a word may belong to two rows.

alias OutputElement = u32;

fn output_element(bits: u32) -> OutputElement {
  return bits;
}

fn output_bits(element: OutputElement) -> u32 {
  return element;
}
