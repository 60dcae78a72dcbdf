// The derivative of the objective by the loss: one number, or one a row; 1 where the call has none.

@group(0) @binding(21) var<storage, read> upstream: array<u32>; // (1) or (rows)

override HAS_UPSTREAM: bool = false;
override UPSTREAM_STRIDE: u32 = 0u; // 1 where there is one a row

fn upstream_bits(row: u32) -> u32 {
  if (HAS_UPSTREAM) {
    return upstream[offsets.upstream + row * UPSTREAM_STRIDE];
  }
  return 0x3f800000u;
}
