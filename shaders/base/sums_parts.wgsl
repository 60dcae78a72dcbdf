// The sum of a row, put together from those of its strips, which a pass before made (row_parts.wgsl).

@group(0) @binding(98) var<storage, read> parts: array<vec4u>; // (rows, STRIPS)

fn part_of_strip(place: Lane, strip: u32) -> Part {
  let words = parts[offsets.parts / 4u + place.row * STRIPS + strip];
  return Part(words.xy, bitcast<vec2f>(words.zw));
}

fn row_sum(at: Invocation, place: Lane) -> RowSum {
  var whole = Part();
  if (STRIPS == 0u) {
    whole.top.x = load(0u); // never: the layout drops bindings that are not mentioned, and some kernels need the input for nothing else
  }
  for (var strip = 0u; strip < STRIPS; strip++) {
    let part = part_of_strip(place, strip);
    whole = beside(whole, part.top);
    whole.sums += beside(part, whole.top).sums;
  }
  return row_of(whole);
}

fn strip_factor(place: Lane, row: RowSum) -> f32 {
  return exponential(bitcast<u32>(ascended(part_of_strip(place, place.strip).top.x)), row.maximum);
}
