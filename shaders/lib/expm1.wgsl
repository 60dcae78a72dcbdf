// tanh and exp(x) - 1 near 0, where the builtins lose their digits.

// tanh z for |z| up to 1/2: Lambert's continued fraction, cut where the rest is 1e-10.
fn tanh_near(z: f32) -> f32 {
  let w = z * z;
  return z * (945.0 + w * (105.0 + w)) / (945.0 + w * (420.0 + 15.0 * w));
}

// exp(x) - 1 for |x| up to 1.
fn expm1_near(x: f32) -> f32 {
  let t = tanh_near(0.5 * x);
  return 2.0 * t / (1.0 - t);
}
