// A matrix that is read, and one that is written where the call has one.
// Seams: inputElement, outputElement

@group(0) @binding(0) var<storage, read> input: array<InputElement>;
@group(0) @binding(1) var<storage, read_write> output: array<OutputElement>;

// The bits of element i.
fn load(i: u32) -> u32 {
  let at = offsets.input + i;
  return input_bits(input[input_slot(at)], at);
}

fn store(i: u32, bits: u32) {
  output[offsets.output + i] = output_element(bits);
}
