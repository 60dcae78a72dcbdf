// 'mean': losses are divided by what the rows that count weigh, found by an earlier dispatch.

@group(0) @binding(20) var<storage, read> divisor: array<f32>; // (1)

fn row_divisor() -> f32 {
  return divisor[offsets.divisor];
}
