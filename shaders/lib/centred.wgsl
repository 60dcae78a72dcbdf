// A number a class, less its mean under the probabilities of its row: value_c - sum of p_k value_k.
//
// A class with p above 1/2, of which there is one at the most, is kept out of the sum, and takes the form
// value_c (1 - p_c) - sum of the others' p_k value_k: beside p near 1, the first form leaves no digit.

// One term of a sum in two parts, of which the second is for the few that are large: beside them, each small term is rounded the same
// way, and a thousand of them lose a digit.
fn in_parts(term: f32, is_large: bool) -> vec2f {
  return select(vec2f(term, 0.0), vec2f(0.0, term), is_large);
}

// What a class adds to the mean, which is its two parts together: the classes with p up to 1/2, and the one above.
fn mean_part(value: f32, p: f32) -> vec2f {
  return in_parts(p * value, p > 0.5);
}

// `others` is 1 - p.
fn centred(value: f32, p: f32, others: f32, mean: vec2f) -> f32 {
  return select(value - mean.x - mean.y, value * others - mean.x, p > 0.5);
}
