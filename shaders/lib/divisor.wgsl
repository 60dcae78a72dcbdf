// What losses are divided by: for 'mean' what the rows that count weigh, found by an earlier dispatch; else 1.

@group(0) @binding(20) var<storage, read> divisor: array<f32>; // (1)

override HAS_DIVISOR: bool = false;

fn row_divisor() -> f32 {
  if (HAS_DIVISOR) {
    return divisor[offsets.divisor];
  }
  return 1.0;
}
