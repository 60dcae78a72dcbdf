// exp for arguments from -infinity to 0, within 1 unit of the last place where the builtin may be 64 off.
// Cody and Waite's reduction, d = k ln 2 + r, and the polynomial of Cephes' expf; right with and without fused multiply-add.

fn exp_negative(d: f32) -> f32 {
  if (d < -87.33) { // below, the result is subnormal, which a device may flush
    return 0.0;
  }
  let k = floor(d * 1.44269504 + 0.5);
  let r = (d - k * 0.693359375) - k * -2.12194440e-4;
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  let e = (p * (r * r) + r) + 1.0;
  return bitcast<f32>(bitcast<u32>(e) + (bitcast<u32>(i32(k)) << 23u)); // e times 2^k
}
