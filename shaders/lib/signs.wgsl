// Targets that are -1 or 1, one a row.
// Needs: base/half.wgsl

@group(0) @binding(9) var<storage, read> signs: array<u32>; // (rows)

override HALF_SIGNS: bool = false;

fn sign_bits(row: u32) -> u32 {
  let at = offsets.signs + row;
  if (HALF_SIGNS) {
    return widened_at(signs[at >> 1u], at);
  }
  return signs[at];
}
