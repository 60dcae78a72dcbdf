// The derivative by the logits of softmax(logits / temperature), given its probabilities p and the derivative u by them:
//
//   p_c (u_c - sum of p_k u_k) / temperature = p_c (u_c (1 - p_c) - sum of the others' p_k u_k) / temperature
//
// Classes with p above 1/2, of which a softmax has one at the most, are kept out of the sum, and take the second form: beside p near
// 1, the first leaves no digit.
// Twin: src/cpu/softmax-gradient.ts
// Needs: lib/bits.wgsl, lib/lanes.wgsl, lib/upstream_matrix.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

struct Products {
  around: f32, // sum of p u but for classes with p above 1/2
  most: f32,   // that of those classes
  undefined: bool,
}

fn products(at: Invocation, lane: u32, start: u32) -> Products {
  var sum = vec2f(0.0); // around, most
  var block = vec2f(0.0);
  var bad = 0u;
  var visited = 0u;
  for (var c = lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let bits = load(i);
    bad |= u32(max(magnitude_of(bits), magnitude_of(upstream_bits(i))) >= INFINITY_BITS);
    let p = bitcast<f32>(bits);
    let product = p * bitcast<f32>(upstream_bits(i));
    block += select(vec2f(product, 0.0), vec2f(0.0, product), p > 0.5);
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = vec2f(0.0);
    }
  }
  sum = bitcast<vec2f>(reduced(at, MERGE_SUM, bitcast<vec2u>(sum + block)));
  bad = reduced(at, MERGE_MAX, vec2u(bad)).x;
  return Products(sum.x, sum.y, bad == 1u);
}

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = row_start(place.row, params.classes, params.inner);
  let total = products(at, place.lane, start);
  if (!place.inside) {
    return;
  }
  for (var c = place.lane; c < params.classes; c += LANES) {
    let i = start + c * params.inner;
    let p = bitcast<f32>(load(i));
    let u = bitcast<f32>(upstream_bits(i));
    var slope = u - total.around - total.most;
    if (p > 0.5) {
      slope = u * (1.0 - p) - total.around - (total.most - p * u);
    }
    store(i, select(bitcast<u32>(p * slope * params.inverse_temperature), NAN_BITS, total.undefined));
  }
}
