// The cosine loss of a pair a, b, with the lengths A = sqrt(|a|^2 + 1e-12) and B, and u = a / A, v = b / B:
//
//   similarity s = sum of u v, loss = 1 - s where the target is 1, max(0, s - margin) where it is -1
//
// Of a pair that is nearly parallel 1 - s would have no digits, so it is summed as what it is:
//   1 - s = (sum of (u - v)^2 + 1e-12 / A^2 + 1e-12 / B^2) / 2
//   d s / d a = (v - s u) / A, with v - s u = (v - u) + (1 - s) u
// Twin: src/cpu/cosine-embedding-loss.ts
// Needs: lib/embedding_loss.wgsl, lib/signs.wgsl, lib/span.wgsl, base/across_lanes.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  divided_by: f32,
  margin: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

const TINY = 1e-12;

struct Terms {
  lengths: vec2f, // A, B
  similarity: f32,
  rest: f32, // 1 - similarity
  same: bool,
  undefined: bool,
}

fn gap_at(kind: u32, i: u32) -> Gap {
  var bits: u32;
  if (kind == 0u) {
    bits = load(i);
  } else {
    bits = x2_bits(i);
  }
  return Gap(bitcast<f32>(magnitude_of(bits)), magnitude_of(bits));
}

// u and v of element i.
fn units(lengths: vec2f, i: u32) -> vec2f {
  return vec2f(bitcast<f32>(load(i)), bitcast<f32>(x2_bits(i))) / lengths;
}

// sqrt(far^2 + 1e-12), without the square of a large number.
fn length_of(far: f32) -> f32 {
  return select(sqrt(far * far + TINY), far, far > 1.0);
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  let a = span_of(at, place.lane, start, 0u, 2.0);
  let b = span_of(at, place.lane, start, 1u, 2.0);
  let lengths = vec2f(length_of(a.far), length_of(b.far));
  var sum = vec2f(0.0); // u v, (u - v)^2
  var block = vec2f(0.0);
  var visited = 0u;
  for (var c = place.lane; c < params.classes; c += LANES) {
    let unit = units(lengths, start + c);
    let d = unit.x - unit.y;
    block += vec2f(unit.x * unit.y, d * d);
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = vec2f(0.0);
    }
  }
  sum = lane_sums(at, sum + block);
  let missing = TINY / (lengths * lengths);
  let t = sign_bits(place.row);
  let undefined = a.undefined || b.undefined || magnitude_of(t) != 0x3f800000u;
  return Terms(lengths, sum.x, 0.5 * (sum.y + missing.x + missing.y), t == 0x3f800000u, undefined);
}

fn loss_bits(terms: Terms) -> u32 {
  let loss = select(max(0.0, terms.similarity - params.margin), terms.rest, terms.same);
  return select(bitcast<u32>(loss), NAN_BITS, terms.undefined);
}

fn slope_bits(terms: Terms, operand: u32, i: u32) -> u32 {
  if (terms.undefined) {
    return NAN_BITS;
  }
  if (!terms.same && terms.similarity < params.margin) {
    return 0u;
  }
  let unit = units(terms.lengths, i);
  let own = select(unit.x, unit.y, operand == 1u);
  let other = select(unit.y, unit.x, operand == 1u);
  let turn = select(other - terms.similarity * own, (other - own) + terms.rest * own, terms.similarity > 0.0);
  let slope = turn / select(terms.lengths.x, terms.lengths.y, operand == 1u);
  return bitcast<u32>(select(slope, -slope, terms.same));
}
