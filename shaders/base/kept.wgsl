// Exponentials that are kept in the places of the result, which is of float32, until their sum is known. One lane a row.
// Needs: base/row_sum.wgsl

// Puts exponentials in their places, and gives their sum.
fn keep_exponentials(fours: Fours, maximum: f32) -> f32 {
  var total = 0.0;
  var n = 0u;
  loop {
    var sum = 0.0; // closed after 256 terms
    for (var j = n; j < min(n + 64u, fours.count); j += PACE) {
      let a = load_four(fours, j);
      if (PACE == 2u) {
        let b = load_four(fours, j + 1u); // before a is stored, which may be where the same classes are
        sum += keep_four(fours, j + 1u, b, maximum);
      }
      sum += keep_four(fours, j, a, maximum);
    }
    total += sum;
    n += 64u;
    if (TWICE || n >= fours.count) {
      break;
    }
  }
  return total;
}

fn keep_four(fours: Fours, n: u32, bits: vec4u, maximum: f32) -> f32 {
  let e = exponentials(bits, maximum);
  store_four(fours, n, bitcast<vec4u>(e));
  let own = select(vec4f(0.0), e, are_inside(fours, n));
  return (own.x + own.y) + (own.z + own.w);
}

// The bits of those that are kept in the places of a four.
fn kept_four(fours: Fours, n: u32) -> vec4u {
  let at = places_of(fours, n) + fours.shift;
  return vec4u(stored_at(at.x), stored_at(at.y), stored_at(at.z), stored_at(at.w));
}
