// The derivative of the objective by the loss: one number, or one a row; 1 where the call has none.

@group(0) @binding(21) var<storage, read> upstream: array<u32>; // (1) or (rows)

override HAS_UPSTREAM: bool = false;
override ONE_UPSTREAM: bool = false; // for all rows

fn upstream_bits(row: u32) -> u32 {
  if (HAS_UPSTREAM) {
    return upstream[offsets.upstream + select(row, 0u, ONE_UPSTREAM)];
  }
  return 0x3f800000u;
}
