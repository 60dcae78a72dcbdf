// The scores of the best classes of a linear head's rows: their logits through softmax, sigmoid, or as they are.
// Twin: src/cpu/linear-top-k.ts
// Needs: lib/linear_state.wgsl, lib/softplus.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32, // k
  inner: u32,
  inverse_temperature: f32,
  far: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> best: array<vec2u>; // (rows, k), keys and classes
@group(0) @binding(4) var<storage, read_write> values: array<u32>; // (rows, k)
@group(0) @binding(5) var<storage, read_write> indices: array<u32>; // (rows, k)

override SOFTMAX: bool = false;
override SIGMOID: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  if (!place.inside) {
    return;
  }
  var row = RowSum();
  if (SOFTMAX) {
    row = row_of(states[state_at(place.row)].part);
  }
  for (var j = place.lane; j < params.classes; j += LANES) {
    let i = place.row * params.classes + j;
    let found = best[offsets.best / 2u + i];
    // A row without a softmax is NaN in all its classes, the first of which are then the best.
    values[offsets.values + i] = select(score(logit_of(found.x), row), NAN_BITS, is_undefined(row));
    indices[offsets.indices + i] = select(found.y, j, is_undefined(row));
  }
}

// The bits behind a key of lib/order_float.wgsl.
fn logit_of(key: u32) -> u32 {
  return select(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u), NAN_BITS, key == 0xffffffffu);
}

fn score(bits: u32, row: RowSum) -> u32 {
  if (SOFTMAX) {
    let share = share_of(bits, row);
    return bitcast<u32>(share.own / (row.ties + row.rest));
  }
  if (is_nan(bits)) {
    return NAN_BITS;
  }
  if (SIGMOID) {
    let x = min(bitcast<f32>(min(magnitude_of(bits), INFINITY_BITS - 1u)), 1e30) * min(params.inverse_temperature, 1e8);
    return bitcast<u32>(odds_of(bitcast<u32>(x) | (bits & 0x80000000u)).own);
  }
  return product_bits(bits, bitcast<u32>(params.inverse_temperature));
}
