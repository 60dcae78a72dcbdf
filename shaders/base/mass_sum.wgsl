// Sums over a row of the labels' mass and of mass x distance, exact enough for one large label beside a hundred thousand small ones:
// beside a large term, each small one is rounded the same way, so that large ones are summed apart; and equal small ones are rounded
// the same way too, so that sums are closed in short steps.
// Needs: base/bits.wgsl, base/merge.wgsl, base/across_lanes.wgsl
// Seams: reduce

const LARGE_MASS = 0.03125; // of which there are few, where labels sum to about one

struct MassSum {
  // Mass and mass x distance, of small labels, then of large ones. Each level is closed into the next after 16 of its terms.
  levels: array<vec4f, 4>,
  terms: u32,
}

fn add_mass(sums: ptr<function, MassSum>, mass: f32, around: f32) {
  let both = vec2f(mass, around);
  (*sums).levels[0] += select(vec4f(both, 0.0, 0.0), vec4f(0.0, 0.0, both), abs(mass) > LARGE_MASS);
  (*sums).terms++;
  var rest = (*sums).terms;
  for (var level = 0u; level < 3u && (rest & 15u) == 0u; level++) {
    (*sums).levels[level + 1u] += (*sums).levels[level];
    (*sums).levels[level] = vec4f(0.0);
    rest >>= 4u;
  }
}

// Mass on a masked class makes the loss infinite.
const MASKED_MASS = 1u;
const NEGATIVE_MASKED_MASS = 2u;
const NO_ANSWER = 3u; // both; or a mass, or a target, that is none

// What a mass says of its row.
fn mass_flags(mass: f32, masked: bool) -> u32 {
  let bits = bitcast<u32>(mass);
  if (magnitude_of(bits) >= INFINITY_BITS) {
    return NO_ANSWER;
  }
  return select(0u, MASKED_MASS + (bits >> 31u), masked && magnitude_of(bits) != 0u);
}

// The mass of a row and of its mass x distance.
struct Mass {
  small: f32,
  large: f32,
  around: f32,
}

// In each of the row's lanes.
fn mass_total(at: Invocation, sums: MassSum) -> Mass {
  let all = lane_four_sums(at, sums.levels[3] + (sums.levels[2] + (sums.levels[1] + sums.levels[0])));
  return Mass(all.x, all.z, all.y + all.w);
}

fn whole_mass(mass: Mass) -> f32 {
  return mass.small + mass.large;
}

// The mass of the other labels: nothing is left of the label's own, nor lost of theirs.
fn mass_without(mass: Mass, own: vec4f) -> vec4f {
  return select((mass.small - own) + mass.large, mass.small + (mass.large - own), abs(own) > vec4f(LARGE_MASS));
}
