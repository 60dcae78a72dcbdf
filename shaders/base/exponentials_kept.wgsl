// Exponentials that are kept beside the maximum, which is looked for first.
// Needs: base/kept.wgsl

fn part_of(fours: Fours) -> Part {
  let top = max(NO_TOP, top_of(fours, 0u, fours.count));
  let maximum = ascended(top.x);
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
  return Part(top, vec2f(0.0, total));
}
