// log(1 + s) for s from 0: the builtin log is of no use near 1, and log1p is what a confident row's loss is made of.

// 2 atanh(t) for |t| up to 0.1716: log((1 + t) / (1 - t)).
fn log_ratio(t: f32) -> f32 {
  let z = t * t;
  var p = 0.11111111;
  p = p * z + 0.14285715;
  p = p * z + 0.2;
  p = p * z + 0.33333334;
  return 2.0 * t + 2.0 * t * (z * p);
}

fn log1p_positive(s: f32) -> f32 {
  if (s < 0.41421356) {
    return log_ratio(s / (2.0 + s));
  }
  return log_positive(1.0 + s);
}

// log(y) for y from 2^-126; below, as of 2^-126.
fn log_positive(y: f32) -> f32 {
  // y = m 2^k with m from sqrt(1/2) to sqrt(2)
  let bits = max(bitcast<u32>(y), 0x00800000u);
  let upper = u32((bits & 0x7fffffu) > 0x3504f3u);
  let k = f32(i32(bits >> 23u) - 127 + i32(upper));
  let m = bitcast<f32>((bits & 0x7fffffu) | ((127u - upper) << 23u));
  return k * 0.693359375 + (k * -2.12194440e-4 + log_ratio((m - 1.0) / (m + 1.0)));
}
