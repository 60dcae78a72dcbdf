// Exponentials that are kept in the places of the result, which is of float32, until their sum is known. One lane a strip.
// Needs: base/row_sum.wgsl
// Seams: sums

// Puts the exponentials of a four in their places, and gives their sum.
fn keep_four(fours: Fours, n: u32, bits: vec4u, maximum: f32) -> f32 {
  let e = exponentials(bits, maximum);
  store_four(fours, n, bitcast<vec4u>(e));
  let own = select(vec4f(0.0), e, are_inside(fours, n));
  return (own.x + own.y) + (own.z + own.w);
}

fn exponentials_of(fours: Fours, n: u32, row: RowSum) -> vec4f {
  let at = places_of(fours, n) + fours.shift;
  return bitcast<vec4f>(vec4u(stored_at(at.x), stored_at(at.y), stored_at(at.z), stored_at(at.w)));
}

// What they are to be multiplied by to stand beside the row's maximum.
fn factor_of(place: Lane, row: RowSum) -> f32 {
  return strip_factor(place, row);
}
