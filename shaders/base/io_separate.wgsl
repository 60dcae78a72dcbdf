// A matrix that is read, and one that is written where the call has one.
// Needs: base/output.wgsl
// Seams: inputElement

@group(0) @binding(0) var<storage, read> input: array<InputElement>;

// Where in its binding element i is.
fn input_at(i: u32) -> u32 {
  return offsets.input + i;
}

// The bits of what is there.
fn load_at(at: u32) -> u32 {
  return input_bits(input[input_slot(at)], at);
}
