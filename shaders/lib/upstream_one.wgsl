// No derivative by the loss was given: it is 1.

fn upstream_bits(row: u32) -> u32 {
  return 0x3f800000u;
}
