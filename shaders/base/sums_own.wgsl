// The sum of a row, made here. strip_sum is base/row_sum.wgsl's, which takes this seam.

fn row_sum(at: Invocation, place: Lane) -> RowSum {
  return row_of(strip_sum(at, place));
}

// What sums beside the maximum of the lane's strip are multiplied by to stand beside the row's.
fn strip_factor(place: Lane, row: RowSum) -> f32 {
  return 1.0;
}
