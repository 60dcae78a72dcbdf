// Exponentials that are made where they are needed, and again where they are needed again.
// Needs: base/row_sum.wgsl

// A lane's classes, each read once, or with TWICE twice: of few, beginning anew beside each maximum costs a software adapter more than reading
// them, and a loop within a loop a fifth of the row's time.
fn part_of(fours: Fours) -> Part {
  if (HELD > 0u) {
    return part_of_held(fours);
  }
  var part = Part(NO_TOP, vec2f(0.0));
  if (TWICE) {
    part.top = max(NO_TOP, top_of(fours, 0u, fours.count));
  }
  var n = 0u;
  loop {
    let end = min(n + 64u, fours.count);
    var sums = vec2f(0.0); // closed after 256 terms
    for (var j = n; j < end; j += PACE) {
      let a = logits(load_four(fours, j));
      var b = a;
      if (PACE == 2u) {
        b = logits(load_four(fours, j + 1u));
      }
      if (!TWICE) {
        var top = top_of_four(a);
        if (PACE == 2u) {
          top = max(top, top_of_four(b));
        }
        if (top.x > part.top.x) {
          part.sums = lowered(part.sums + sums, part.top.x, top.x);
          sums = vec2f(0.0);
          part.top.x = top.x;
        }
        part.top.y = max(part.top.y, top.y);
      }
      let maximum = ascended(part.top.x);
      var one = sums_of_four(fours, j, a, maximum);
      if (PACE == 2u) {
        one += sums_of_four(fours, j + 1u, b, maximum);
      }
      sums += one;
    }
    part.sums += sums;
    n += 64u;
    if (TWICE || n >= fours.count) {
      break;
    }
  }
  return part;
}

// The same where registers hold fours: first the largest of them, then their sum.
fn part_of_held(fours: Fours) -> Part {
  var part = Part(NO_TOP, vec2f(0.0));
  for (var n = 0u; n < fours.count; n += ROOM) {
    part = beside(part, top_of(fours, n, n + ROOM)); // a constant number
    let maximum = ascended(part.top.x);
    var sums = vec2f(0.0);
    for (var j = n; j < n + ROOM; j++) {
      sums += sums_of_four(fours, j, logits(taken(fours, j)), maximum);
    }
    part.sums += sums;
  }
  return part;
}

// The exponentials of a four beside the maximum that `factor_of` belongs to.
fn exponentials_of(fours: Fours, n: u32, row: RowSum) -> vec4f {
  return exponentials(reread(fours, n), row.maximum);
}

// What they are to be multiplied by to stand beside the row's maximum.
fn factor_of(place: Lane, row: RowSum) -> f32 {
  return 1.0;
}
