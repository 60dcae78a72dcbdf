// One matrix that is read and overwritten: a buffer may not be bound as read and as read_write in one dispatch.
// Needs: base/output.wgsl
// Seams: inputElement

// Where in its binding element i is.
fn input_at(i: u32) -> u32 {
  return offsets.output + i;
}

// The bits of what is there.
fn load_at(at: u32) -> u32 {
  return input_bits(output[input_slot(at)], at);
}
