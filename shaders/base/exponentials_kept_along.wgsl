// Exponentials that are kept beside the largest of the first classes, in one reading of the others: near enough to the maximum to begin with,
// since what is beside it is scaled with the rest. Where a class is so far above it that exponentials may be more than floats hold, they
// are made once more; so the result may not lie over the logits. Of rows of 1000 classes and more it takes a fifth less time than to look for
// the maximum first, and a fifth longer to compile (software adapter). Two fours a step, whatever PACE.
// Needs: base/kept.wgsl

// (to - from) / temperature of two keys.
fn distance_between(from_key: u32, to_key: u32) -> f32 {
  let half = 0.5 * ascended(to_key) - 0.5 * ascended(from_key);
  return min(half, params.far) * (2.0 * params.inverse_temperature);
}

// A part whose sum is beside the key that it gives, which may be less than the maximum.
fn part_of(fours: Fours) -> Part {
  var about = max(NO_TOP, top_of(fours, 0u, min(fours.count, 16u)));
  var top = about;
  var part = Part();
  loop {
    part = part_about(fours, ascended(about.x));
    top = max(about, part.top);
    if (top.x == about.x || distance_between(about.x, top.x) < 60.0) {
      break;
    }
    about = top;
  }
  return Part(vec2u(about.x, top.y), part.sums);
}

fn part_about(fours: Fours, about: f32) -> Part {
  var top = vec2u(0u);
  var total = 0.0;
  for (var n = 0u; n < fours.count; n += 64u) {
    var sum = 0.0; // closed after 256 terms
    for (var j = n; j < min(n + 64u, fours.count); j += 2u) {
      let a = load_four(fours, j);
      let b = load_four(fours, j + 1u); // before a is stored, which may be where the same classes are
      top = max(top, max(top_of_four(a), top_of_four(b)));
      sum += keep_four(fours, j + 1u, b, about);
      sum += keep_four(fours, j, a, about);
    }
    total += sum;
  }
  return Part(top, vec2f(0.0, total));
}
