// The derivative of the objective by a matrix-shaped result: one number a class.
// Needs: base/half.wgsl

@group(0) @binding(21) var<storage, read> upstream: array<u32>; // (rows, classes)

override HALF_UPSTREAM: bool = false;

// The bits of element i.
fn upstream_bits(i: u32) -> u32 {
  let at = offsets.upstream + i;
  if (HALF_UPSTREAM) {
    return widened_at(upstream[at >> 1u], at);
  }
  return upstream[at];
}
