// Cross-entropy of logits and class indices: the loss of each row and, with an output, its derivative by the logits, in one pass.
//
//   loss = log(1 + S) + (maximum - x_target) / temperature, S being the sum of exponentials beside one maximum
//   d loss / d x_j = p_j                            for the other classes
//   d loss / d x_target = -(sum of the others) / (1 + S)      and not p_target - 1, which has no digits left where p is near 1
//
// The gradient is scaled by upstream / divisor, so the divisor of 'mean' is found before (count_targets.wgsl), on the device.
// Twin: src/cpu/cross-entropy.ts
// Needs: lib/row_sum.wgsl, lib/divisor.wgsl, lib/upstream.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  clean_below: u32,
  far: f32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> targets: array<i32>; // (rows)
@group(0) @binding(4) var<storage, read_write> losses: array<u32>; // (rows)

override HAS_OUTPUT: bool = false; // the gradient

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = row_start(place.row, params.classes, params.inner);
  let row = row_sum(at, place.lane, start);
  if (!place.inside) {
    return;
  }
  let label = targets[offsets.targets + place.row];
  let ignored = params.ignores == 1u && label == params.ignore_index;
  let known = label >= 0 && u32(label) < params.classes && !is_undefined(row);
  // A target that is no class must not be read; class 0 stands in for it.
  let label_class = select(0u, u32(label), known);
  let label_bits = load(start + label_class * params.inner);
  // The lane that owns the target's logit tells the loss: in place, another lane might read it too late.
  if (place.lane == label_class % LANES) {
    losses[offsets.losses + place.row] = select(select(NAN_BITS, loss_bits(label_bits, row), known), 0u, ignored);
  }
  if (!HAS_OUTPUT) {
    return;
  }
  let scale_bits = scale_of(place.row);
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    if (ignored) {
      store(i, 0u);
    } else if (!known) {
      store(i, NAN_BITS);
    } else {
      store(i, scaled_bits(derivative(load(i), row, c == label_class), scale_bits));
    }
  }
}

fn loss_bits(label_bits: u32, row: RowSum) -> u32 {
  let d = distance(label_bits, row);
  return select(bitcast<u32>(log_total(row) + d), INFINITY_BITS, d == INFINITELY_FAR);
}

fn derivative(bits: u32, row: RowSum, is_target: bool) -> f32 {
  let tie = bitcast<f32>(bits) == row.maximum;
  let e = select(exponential(bits, row), 1.0, tie);
  // The sum of the others, taken from the target's side: beside a maximum nothing is subtracted from the sum.
  let others = select((row.ties + row.rest) - e, (row.ties - 1.0) + row.rest, tie);
  return select(e, -others, is_target) / (row.ties + row.rest) * params.inverse_temperature;
}

fn scale_of(row: u32) -> u32 {
  let divided_by = row_divisor();
  if (divided_by == 0.0) {
    return 0u;
  }
  return scaled_bits(1.0 / divided_by, upstream_bits(row));
}
