// How many of a row's answers are right. Of one class of all: 1 where the argmax of the logits is the target, or the argmax of the
// labels. Of each class on its own: the classes whose logit is above 0 where their label is above 1/2, and not where it is not.
// A row that holds NaN or +infinity has no right answer, and neither has one with all classes masked.
// Twin: src/cpu/count-correct.ts
// Needs: base/bits.wgsl, base/lanes.wgsl, base/half.wgsl, base/across_lanes.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> correct: array<u32>; // (rows)
@group(0) @binding(4) var<storage, read> targets: array<i32>; // (rows)
@group(0) @binding(5) var<storage, read> labels: array<u32>; // (rows, classes), in place of targets

override HAS_LABELS: bool = false;
override HALF_LABELS: bool = false;
override EACH_CLASS: bool = false;

fn label_bits(i: u32) -> u32 {
  let at = offsets.labels + i;
  if (HALF_LABELS) {
    return widened_at(labels[at >> 1u], at);
  }
  return labels[at];
}

// Keys that order as floats do.
fn key_of(bits: u32) -> u32 {
  return select(~bits, bits | 0x80000000u, bits < 0x80000000u);
}

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = place.row * params.classes;
  var best = vec2u(0u);
  var label = vec2u(0u);
  var right = 0u;
  var undefined = 0u;
  for (var c = place.lane; c < params.classes; c += LANES) {
    let x = load(start + c);
    undefined |= u32(is_nan(x) || x == INFINITY_BITS);
    best = merged(MERGE_BEST, best, vec2u(key_of(x), c));
    if (HAS_LABELS) {
      let t = label_bits(start + c);
      label = merged(MERGE_BEST, label, vec2u(key_of(t), c));
      let positive = x < 0x80000000u && x != 0u;
      right += u32(!is_nan(x) && positive == (t > 0x3f000000u && t <= INFINITY_BITS));
    }
  }
  if (EACH_CLASS) {
    right = u32(lane_sum(at, f32(right)));
  } else {
    best = reduced(at, MERGE_BEST, best);
    label = reduced(at, MERGE_BEST, label);
    undefined = lane_maximum(at, undefined);
    var wanted = label.y;
    if (!HAS_LABELS) {
      wanted = u32(targets[offsets.targets + place.row]); // -1 and below are no class
    }
    right = u32(undefined == 0u && best.x != key_of(NEGATIVE_INFINITY_BITS) && best.y == wanted);
  }
  if (place.inside && place.lane == 0u) {
    correct[offsets.correct + place.row] = right;
  }
}
