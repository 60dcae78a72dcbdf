// exp for arguments from -infinity to 0, within 1 unit of the last place where the builtin may be 64 off.
// Cody and Waite's reduction, d = k ln 2 + r, and the polynomial of Cephes' expf; right with and without fused multiply-add.

fn exp_negatives(d: vec4f) -> vec4f {
  let bounded = max(d, vec4f(-88.0));
  let k = floor(bounded * 1.44269504 + 0.5);
  let r = (bounded - k * 0.693359375) - k * -2.12194440e-4;
  var p = vec4f(1.9875691500e-4);
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  let e = (p * (r * r) + r) + 1.0;
  let scaled = bitcast<vec4f>(bitcast<vec4u>(e) + (bitcast<vec4u>(vec4i(k)) << vec4u(23u))); // e times 2^k
  return select(scaled, vec4f(0.0), d < vec4f(-87.33)); // below, the result is subnormal, which a device may flush
}

fn exp_negative(d: f32) -> f32 {
  return exp_negatives(vec4f(d)).x;
}
