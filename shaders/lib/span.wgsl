// How far the gaps of a row reach together: (sum of |gap|^p)^(1/p). The largest gap stays out of the powers, so that they neither
// overflow nor vanish.
//
// The kernel says what the gaps are; a row may have several kinds:
//   fn gap_at(kind: u32, i: u32) -> Gap
// Twin: src/cpu/span.ts
// Needs: base/bits.wgsl, base/lanes.wgsl, lib/power.wgsl, base/across_lanes.wgsl
// Seams: reduce

override SQUARED: bool = true; // p is 2, as it mostly is: a small part of the code of any power

struct Gap {
  value: f32,
  magnitude: u32, // the largest of what the gap is made of, as bits
}

struct Span {
  far: f32,
  undefined: bool, // something is not finite, or a gap is more than a float can hold
}

fn span_of(at: Invocation, lane: u32, start: u32, kind: u32, p: f32) -> Span {
  var largest = vec2u(0u); // of the gaps, and of what they are made of
  for (var c = lane; c < params.classes; c += LANES) {
    let i = start + c;
    let gap = gap_at(kind, i);
    largest = max(largest, vec2u(magnitude_of(bitcast<u32>(gap.value)), gap.magnitude));
  }
  largest = reduced(at, MERGE_MAX, largest);
  let undefined = max(largest.x, largest.y) >= INFINITY_BITS;
  let most = select(bitcast<f32>(largest.x), 1.0, undefined || largest.x < 0x00800000u); // what is subnormal may be flushed
  var sum = 0.0;
  var block = 0.0;
  var visited = 0u;
  for (var c = lane; c < params.classes; c += LANES) {
    block += raised(min(abs(gap_at(kind, start + c).value) / most, 1.0), p);
    visited++;
    if ((visited & 255u) == 0u) {
      sum += block;
      block = 0.0;
    }
  }
  sum = lane_sum(at, sum + block);
  return Span(most * root(sum, p), undefined);
}

fn raised(r: f32, p: f32) -> f32 {
  if (SQUARED) {
    return r * r;
  }
  return power(r, p);
}

// sum^(1/p) of a sum that is 0 or from 1.
fn root(sum: f32, p: f32) -> f32 {
  if (SQUARED) {
    return sqrt(sum);
  }
  if (p == 1.0 || sum == 0.0) {
    return sum;
  }
  return 1.0 / exp_negative(-log_positive(sum) / p);
}

// The derivative of a span by one of its gaps: sign(gap) (|gap| / far)^(p - 1), 0 at a gap of 0.
fn span_slope(span: Span, gap: f32, p: f32) -> f32 {
  if (gap == 0.0 || span.far == 0.0) {
    return 0.0;
  }
  let ratio = min(abs(gap) / span.far, 1.0);
  if (SQUARED) {
    return sign(gap) * ratio;
  }
  return sign(gap) * power(ratio, p - 1.0);
}
