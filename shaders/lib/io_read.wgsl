// A matrix that is read; no matrix is written.
// Seams: element

@group(0) @binding(0) var<storage, read> input: array<InputElement>;

// The bits of element i.
fn load(i: u32) -> u32 {
  let at = offsets.input + i;
  return input_bits(input[input_slot(at)], at);
}

fn store(i: u32, bits: u32) {}
