// What losses are divided by: for 'mean' what the rows that count weigh, found by an earlier dispatch where it depends on data;
// 1 for 'sum' and 'none'. The kernel declares params.divided_by.

@group(0) @binding(20) var<storage, read> divisor: array<f32>; // (1)

override HAS_DIVISOR: bool = false;

fn row_divisor() -> f32 {
  if (HAS_DIVISOR) {
    return divisor[offsets.divisor];
  }
  return params.divided_by;
}
