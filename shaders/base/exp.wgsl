// exp for arguments from -infinity to 0, within 1 unit of the last place where the builtin may be 64 off.
// Cody and Waite's reduction, d = k ln 2 + r, and the polynomial of Cephes' expf; right with and without fused multiply-add.
//
// One number after the other, not four at once, and rounded to integers by an addition, not by conversion, which WGSL saturates: on a
// software adapter, whose compiler has 16 registers, each of these took twice the time.

// Added to a smaller number, leaves its nearest integer in the lowest bits.
const ROUNDING = 12582912.0; // 1.5 x 2^23
const ROUNDING_BITS = 0x4b400000;

fn exp_negative(d: f32) -> f32 {
  let bounded = max(d, -88.0);
  let exponent = bitcast<i32>(bounded * 1.44269504 + ROUNDING) - ROUNDING_BITS;
  let k = f32(exponent);
  let r = (bounded - k * 0.693359375) - k * -2.12194440e-4;
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  let e = (p * (r * r) + r) + 1.0;
  let scaled = bitcast<f32>(bitcast<i32>(e) + (exponent << 23u)); // e times 2^k
  return select(scaled, 0.0, d < -87.33); // below, the result is subnormal, which a device may flush
}

fn exp_negatives(d: vec4f) -> vec4f {
  return vec4f(exp_negative(d.x), exp_negative(d.y), exp_negative(d.z), exp_negative(d.w));
}
