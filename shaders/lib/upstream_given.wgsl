// The derivative of the objective by the loss: one number, or one a row.

@group(0) @binding(21) var<storage, read> upstream: array<u32>; // (1) or (rows)

override UPSTREAM_STRIDE: u32 = 0u; // 1 where there is one a row

fn upstream_bits(row: u32) -> u32 {
  return upstream[offsets.upstream + row * UPSTREAM_STRIDE];
}
