// r^exponent for r from 0 to 1: by multiplication for the nearest integer, and by exp(f log r) for what is left, |f| up to 1/2. The
// logarithm of a small number times a large exponent would leave few digits.
// Needs: base/exp.wgsl, base/log1p.wgsl

fn power(r: f32, exponent: f32) -> f32 {
  let size = abs(exponent);
  let whole = floor(size + 0.5);
  var result = 1.0;
  var square = r;
  for (var n = u32(min(whole, 4294967040.0)); n > 0u; n >>= 1u) {
    if ((n & 1u) == 1u) {
      result *= square;
    }
    square *= square;
  }
  let left = size - whole;
  if (left != 0.0 && r > 0.0) {
    let part = exp_negative(abs(left) * log_positive(r));
    result = select(result / part, result * part, left > 0.0);
  }
  if (left != 0.0 && r == 0.0) {
    result = 0.0; // also where the exponent is below 1/2, and its nearest integer 0
  }
  return select(result, 1.0 / result, exponent < 0.0);
}
