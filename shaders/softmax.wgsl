// softmax, or with LOG its logarithm, of each row: the maximum, the sum beside it, then one value a class.
//
// With KEEPS each exponential is made once: kept in the result, and scaled there when the sum is known. Reading it back costs a software adapter
// less than making it again: a quarter of the time, from 10 classes to 128,256.
// Twin: src/cpu/softmax.ts
// Needs: base/row_sum.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
}

@group(0) @binding(2) var<uniform> params: Params;

override LOG: bool = false;
override KEEPS: bool = false; // one lane a row, and a result of float32

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let fours = fours_of(place);
  var row: RowSum;
  if (KEEPS) {
    row = row_maximum(at, place);
    row.rest = keep_exponentials(fours, row.maximum);
  } else {
    row = row_sum(at, place);
  }
  let inverse_total = 1.0 / (row.ties + row.rest);
  var logarithm = 0.0;
  if (LOG) {
    logarithm = log_total(row);
  }
  for (var n = 0u; n < fours.count; n += PACE) {
    let a = known_four(fours, n);
    if (PACE == 2u) {
      let b = known_four(fours, n + 1u);
      store_four(fours, n + 1u, normalized(b, row, inverse_total, logarithm));
    }
    store_four(fours, n, normalized(a, row, inverse_total, logarithm));
  }
}

// The bits of logits, or of the exponentials in their places.
fn known_four(fours: Fours, n: u32) -> vec4u {
  if (KEEPS) {
    let at = places_of(fours, n) + fours.shift;
    return vec4u(stored_at(at.x), stored_at(at.y), stored_at(at.z), stored_at(at.w));
  }
  return reread(fours, n);
}

fn normalized(bits: vec4u, row: RowSum, inverse_total: f32, logarithm: f32) -> vec4u {
  let nan = select(0u, NAN_BITS, is_undefined(row)); // makes a NaN of any number
  if (LOG) {
    let d = distances(bits, row);
    let far = d == vec4f(INFINITELY_FAR);
    return select(bitcast<vec4u>(-d - logarithm), vec4u(NEGATIVE_INFINITY_BITS), far) | vec4u(nan);
  }
  var e = bitcast<vec4f>(bits);
  if (!KEEPS) {
    e = exponentials(bits, row.maximum);
  }
  return bitcast<vec4u>(e * inverse_total) | vec4u(nan);
}

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
