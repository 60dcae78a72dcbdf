// The log-sum-exp of each row. It alone of its kind has an answer for rows of -infinity and for +infinity.
// Twin: src/cpu/log-sum-exp.ts
// Needs: base/row_sum.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> sums: array<u32>; // (rows)

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let row = row_sum(at, place);
  if (place.inside && place.lane == 0u) {
    sums[offsets.sums + place.row] = log_sum_exp_bits(row);
  }
}
