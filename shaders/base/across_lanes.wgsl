// What the lanes of a group come to together, in each of them. Every invocation of the workgroup must come here.
// Needs: base/merge.wgsl, base/lanes.wgsl
// Seams: reduce

fn lane_sums(at: Invocation, own: vec2f) -> vec2f {
  return bitcast<vec2f>(reduced(at, MERGE_SUM, bitcast<vec2u>(own)));
}

fn lane_sum(at: Invocation, own: f32) -> f32 {
  return lane_sums(at, vec2f(own, 0.0)).x;
}

fn lane_four_sums(at: Invocation, own: vec4f) -> vec4f {
  if (LANES == 1u) {
    return own;
  }
  return vec4f(lane_sums(at, own.xy), lane_sums(at, own.zw));
}

// The largest.
fn lane_maximum(at: Invocation, own: u32) -> u32 {
  return reduced(at, MERGE_MAX, vec2u(own)).x;
}
