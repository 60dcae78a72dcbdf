// The frame of every loss with a class axis: one loss a row and, where the call has an output, its derivative by the input,
// weighted by the row's sample weight and scaled by upstream / divisor. The divisor of 'mean' is found before, on the device
// (sum_weights.wgsl), so that the gradient never waits.
//
// The kernel declares params with rows, classes, inner and divided_by, and says what the loss is:
//   struct Terms                                           what one row's loss and derivatives are made of
//   fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms      all reductions; every lane comes here
//   fn is_ignored(terms: Terms) -> bool                    such a row has loss and derivatives 0
//   fn loss_bits(terms: Terms) -> u32
//   fn derivatives(terms: Terms, c: vec4u, i: vec4u, bits: vec4u) -> vec4u      by classes c, which are elements i and hold bits;
//                                                          or one by one, through lib/derivative_each.wgsl
//   fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool)   results of its own; `slopes` is false where all
//                                                          derivatives are 0
// Needs: base/bits.wgsl, base/fours.wgsl, base/divisor.wgsl, base/upstream.wgsl, base/weights.wgsl
// Seams: io, reduce

@group(0) @binding(3) var<storage, read_write> losses: array<u32>; // (rows)

override HAS_LOSSES: bool = false;
override HAS_OUTPUT: bool = false; // the gradient

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = row_start(place.row, params.classes, params.inner);
  let terms = row_terms(at, place, start);
  lanes_meet(); // the gradient may overwrite the input, which other lanes have read
  if (!place.inside) {
    return;
  }
  let weight = bitcast<u32>(sample_weight(place.row));
  let counts = magnitude_of(weight) != 0u && !is_ignored(terms);
  if (HAS_LOSSES && place.lane == 0u) {
    losses[offsets.losses + place.row] = select(0u, product_bits(loss_bits(terms), weight), counts);
  }
  let divided_by = bitcast<u32>(row_divisor());
  let scale = product_bits(upstream_bits(place.row), quotient_bits(weight, divided_by));
  let slopes = counts && magnitude_of(divided_by) != 0u;
  finish_row(terms, place, scale, slopes); // before the gradient, which may overwrite what it reads
  if (HAS_OUTPUT) {
    let fours = fours_of(place);
    for (var n = 0u; n < fours.count; n++) {
      let c = min(classes_at(fours, n), vec4u(fours.last));
      let bits = derivatives(terms, c, elements_of(fours, c), reread(fours, n));
      store_four(fours, n, select(vec4u(0u), product_of_bits(bits, scale), slopes));
    }
  }
}
