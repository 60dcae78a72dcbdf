// Two matrices of one shape and element that are read by the same functions, one at a time. There is no output: what is made of two
// matrices are results of the kernel's own.
// Seams: inputElement

@group(0) @binding(0) var<storage, read> input: array<InputElement>;
@group(0) @binding(9) var<storage, read> other: array<InputElement>;

var<private> reads_other: bool = false;

// Where in its binding element i of the matrix that is read now is.
fn input_at(i: u32) -> u32 {
  if (reads_other) {
    return offsets.other + i;
  }
  return offsets.input + i;
}

fn output_at(i: u32) -> u32 {
  return i;
}

// The bits of what is there.
fn load_at(at: u32) -> u32 {
  if (reads_other) {
    return input_bits(other[input_slot(at)], at);
  }
  return input_bits(input[input_slot(at)], at);
}

fn store_at(at: u32, bits: u32) {}

// The bits of element i.
fn load(i: u32) -> u32 {
  return load_at(input_at(i));
}
