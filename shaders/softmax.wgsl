// softmax, or with LOG its logarithm, of each row: the maximum, the sum beside it, then one value a class.
//
// With KEEPS each exponential is made once: kept in the result, and scaled there when the sum is known. Reading it back costs a software adapter
// less than making it again: a quarter of the time, from 10 classes to 128,256.
// Twin: src/cpu/softmax.ts
// Needs: base/kept.wgsl

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
    return kept_four(fours, n);
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
