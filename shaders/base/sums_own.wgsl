// The sum of a row, made here. strip_sum is base/row_sum.wgsl's, which takes this seam.

fn row_sum(at: Invocation, place: Lane) -> RowSum {
  return row_of(strip_sum(at, place));
}
