// The matrix that is written, where the call has one; and elements by their number, for the ways to bind what is read (io_separate.wgsl and
// io_in_place.wgsl have input_at and load_at).
// Seams: outputElement

@group(0) @binding(1) var<storage, read_write> output: array<OutputElement>;

// Where in its binding element i is.
fn output_at(i: u32) -> u32 {
  return offsets.output + i;
}

fn store_at(at: u32, bits: u32) {
  output[at] = output_element(bits);
}

// The bits of what was stored there, but for rounding.
fn stored_at(at: u32) -> u32 {
  return output_bits(output[at]);
}

// The bits of element i.
fn load(i: u32) -> u32 {
  return load_at(input_at(i));
}

fn store(i: u32, bits: u32) {
  store_at(output_at(i), bits);
}
