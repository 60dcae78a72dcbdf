// The sum of a row, put together from those of its strips, which a pass before made (row_parts.wgsl).

@group(0) @binding(98) var<storage, read> parts: array<vec4u>; // (rows, STRIPS)

fn row_sum(at: Invocation, place: Lane) -> RowSum {
  var whole = Part();
  if (STRIPS == 0u) {
    whole.top.x = load(0u); // never: the layout drops bindings that are not mentioned, and some kernels need the input for nothing else
  }
  for (var strip = 0u; strip < STRIPS; strip++) {
    let words = parts[offsets.parts / 4u + place.row * STRIPS + strip];
    let part = Part(words.xy, bitcast<vec2f>(words.zw));
    whole = beside(whole, part.top);
    whole.sums += beside(part, whole.top).sums;
  }
  return row_of(whole);
}
