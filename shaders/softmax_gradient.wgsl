// The derivative by the logits of softmax(logits / temperature), given its probabilities p and the derivative u by them:
//
//   p_c (u_c - sum of p_k u_k) / temperature
//
// Twin: src/cpu/softmax-gradient.ts
// Needs: base/bits.wgsl, base/lanes.wgsl, lib/centred.wgsl, lib/upstream_matrix.wgsl, base/across_lanes.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

struct Upstream {
  mean: vec2f,
  plain: bool, // several p are above 1/2, as no softmax gives them: nothing can be kept out of the sum
  undefined: bool,
}

fn upstream_of(at: Invocation, lane: u32, start: u32) -> Upstream {
  var sum = vec2f(0.0);
  var block = vec2f(0.0);
  var found = vec2f(0.0); // how many p are above 1/2; how many numbers are not finite
  var visited = 0u;
  for (var c = lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let bits = load(i);
    let p = bitcast<f32>(bits);
    found += vec2f(f32(p > 0.5), f32(max(magnitude_of(bits), magnitude_of(upstream_bits(i))) >= INFINITY_BITS));
    block += mean_part(bitcast<f32>(upstream_bits(i)), p);
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = vec2f(0.0);
    }
  }
  sum = lane_sums(at, sum + block);
  found = lane_sums(at, found);
  return Upstream(sum, found.x > 1.0, found.y > 0.0);
}

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = row_start(place.row, params.classes, params.inner);
  let whole = upstream_of(at, place.lane, start);
  if (!place.inside) {
    return;
  }
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let p = bitcast<f32>(load(i));
    let u = bitcast<f32>(upstream_bits(i));
    let difference = select(centred(u, p, 1.0 - p, whole.mean), u - whole.mean.x - whole.mean.y, whole.plain);
    store(i, select(bitcast<u32>(p * difference * params.inverse_temperature), NAN_BITS, whole.undefined));
  }
}
