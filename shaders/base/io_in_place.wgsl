// One matrix that is read and overwritten: a buffer may not be bound as read and as read_write in one dispatch.
// Seams: inputElement, outputElement

@group(0) @binding(1) var<storage, read_write> output: array<OutputElement>;

// Where in its binding element i is.
fn input_at(i: u32) -> u32 {
  return offsets.output + i;
}

fn output_at(i: u32) -> u32 {
  return offsets.output + i;
}

// The bits of what is there.
fn load_at(at: u32) -> u32 {
  return input_bits(output[input_slot(at)], at);
}

fn store_at(at: u32, bits: u32) {
  output[at] = output_element(bits);
}

// The bits of element i.
fn load(i: u32) -> u32 {
  return load_at(input_at(i));
}

fn store(i: u32, bits: u32) {
  store_at(output_at(i), bits);
}

// The bits of what was stored there, but for rounding.
fn stored_at(at: u32) -> u32 {
  return output_bits(output[at]);
}
