// Soft labels, one a class, in place of targets.
// Needs: base/half.wgsl

@group(0) @binding(5) var<storage, read> labels: array<u32>; // (rows, classes)

override HAS_LABELS: bool = false;
override HALF_LABELS: bool = false;

// The bits of the label at element i.
fn label_bits(i: u32) -> u32 {
  let at = offsets.labels + i;
  if (HALF_LABELS) {
    return widened_at(labels[at >> 1u], at);
  }
  return labels[at];
}
