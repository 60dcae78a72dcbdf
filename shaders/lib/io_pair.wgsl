// Two matrices of one shape and element that are read by the same functions, one at a time. There is no output: what is made of two
// matrices are results of the kernel's own.
// Seams: inputElement

@group(0) @binding(0) var<storage, read> input: array<InputElement>;
@group(0) @binding(9) var<storage, read> other: array<InputElement>;

var<private> reads_other: bool = false;

// The bits of element i of the matrix that is read now.
fn load(i: u32) -> u32 {
  if (reads_other) {
    let at = offsets.other + i;
    return input_bits(other[input_slot(at)], at);
  }
  let at = offsets.input + i;
  return input_bits(input[input_slot(at)], at);
}

fn store(i: u32, bits: u32) {}
