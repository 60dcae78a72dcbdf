// What is known of the strips of rows that are few and long: pairs of words, written by a pass before.
// Needs: base/lanes.wgsl

@group(0) @binding(98) var<storage, read> parts: array<vec2u>; // (rows, STRIPS x pairs)
@group(0) @binding(97) var<storage, read_write> strips: array<vec2u>; // the same, in the pass that makes them

override HAS_PARTS: bool = false;
override HAS_STRIPS: bool = false;
override PAIRS: u32 = 1u; // a strip

fn part_at(row: u32, i: u32) -> vec2u {
  return parts[offsets.parts / 2u + row * STRIPS * PAIRS + i];
}

fn put_part(place: Lane, i: u32, pair: vec2u) {
  strips[offsets.strips / 2u + (place.row * STRIPS + place.strip) * PAIRS + i] = pair;
}
