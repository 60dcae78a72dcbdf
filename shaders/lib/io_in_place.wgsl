// One matrix that is read and overwritten: a buffer may not be bound as read and as read_write in one dispatch.
// Seams: inputElement, outputElement

@group(0) @binding(1) var<storage, read_write> output: array<OutputElement>;

// The bits of element i.
fn load(i: u32) -> u32 {
  let at = offsets.output + i;
  return input_bits(output[input_slot(at)], at);
}

fn store(i: u32, bits: u32) {
  output[offsets.output + i] = output_element(bits);
}
