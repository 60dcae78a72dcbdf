// One class a row, drawn from its softmax: the class whose logit, divided by the temperature, is largest after a random number of
// the Gumbel distribution was added to it. The random number depends on the seed, the row and the class alone, so the answer does
// not depend on the plan, and nothing is summed for it.
//
// TOP_K and TOP_P keep the first classes in the order (logit down, index up), up to the one at which their number, or their mass,
// reaches a goal. Where that is, is found with no sorting: two bits of its key at a time, from sums over the row by those bits.
// Twin: src/cpu/sample.ts
// Needs: base/lanes.wgsl, lib/order_float.wgsl, lib/random.wgsl, base/row_sum.wgsl, base/across_lanes.wgsl
// Seams: io, reduce

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  first_row: u32,
  inverse_temperature: f32,
  far: f32,
  seed_low: u32,
  seed_high: u32,
  top_k: f32,
  top_p: f32,
  farthest: f32, // the distance from the maximum beyond which min_p drops a class
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> samples: array<u32>; // (rows)

override TOP_K: bool = false;
override TOP_P: bool = false;

const NO_CLASS = 0xffffffffu; // -1
const NOTHING = vec2u(0u, NO_CLASS);
const EVERY_CLASS = vec2u(0u, NO_CLASS); // the last of all, as (key, index)

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let place = lane_of(at, params.rows);
  let start = row_start(place.row, params.classes, params.inner);
  let row = row_maximum(at, place);
  var last = EVERY_CLASS;
  if (TOP_K) {
    last = last_kept(at, place.lane, start, row, Search(BY_COUNT, params.top_k, last, 0u, true));
  }
  if (TOP_P) {
    last = last_kept(at, place.lane, start, row, Search(BY_MASS, params.top_p, last, 0u, true));
  }
  let best = reduced(at, MERGE_BEST, drawn(place, start, row, last));
  if (place.inside && place.lane == 0u) {
    samples[offsets.samples + place.row] = select(best.y, NO_CLASS, is_undefined(row));
  }
}

// The best of a lane's classes, four at a time, since random bits come by four. NOTHING where all are masked.
fn drawn(place: Lane, start: u32, row: RowSum, last: vec2u) -> vec2u {
  var best = NOTHING;
  for (var four = place.lane; four * 4u < params.classes; four += LANES) {
    let counter = vec4u(four, params.first_row + place.row, 0u, 0u);
    let words = philox(counter, vec2u(params.seed_low, params.seed_high));
    for (var c = four * 4u; c < min(four * 4u + 4u, params.classes); c++) {
      let bits = load(start + c * params.inner);
      let d = distance(bits, row);
      if (bits != NEGATIVE_INFINITY_BITS && d <= params.farthest && is_kept(order_keys(vec4u(bits)).x, c, last)) {
        let noisy = -(d + log_positive(exponential_of(words[c & 3u])));
        best = merged(MERGE_BEST, best, vec2u(order_keys(vec4u(bitcast<u32>(noisy))).x, c));
      }
    }
  }
  return best;
}

fn is_kept(key: u32, c: u32, last: vec2u) -> bool {
  return key > last.x || (key == last.x && c <= last.y);
}

const BY_COUNT = 0u; // every class weighs 1
const BY_MASS = 1u;  // its exponential; the goal is a share of the whole
const BY_INDEX = 2u; // 1, of those with one key, in the order of their indices

// Among the classes up to `last`, those that reach a goal.
struct Search {
  by: u32,
  goal: f32, // counts are exact up to 2^24
  last: vec2u,
  key: u32,     // for BY_INDEX
  needed: bool, // false: the answer is not used, and the row is not read
}

struct Found {
  key: u32,
  above: f32, // what larger keys weigh
  equal: f32, // what equal keys weigh
  goal: f32,
}

// The last class to keep, as (key, index).
fn last_kept(at: Invocation, lane: u32, start: u32, row: RowSum, search: Search) -> vec2u {
  let found = descend(at, lane, start, row, search, 16u);
  let each = select(1.0, exponential(bitcast<u32>(ascended(found.key)), row.maximum), search.by == BY_MASS);
  let tied = found.equal > 1.5 * each;
  let among = ceil((found.goal - found.above) / each);
  let levels = (firstLeadingBit(params.classes) + 2u) / 2u;
  let index = descend(at, lane, start, row, Search(BY_INDEX, among, search.last, found.key, tied), levels).key;
  return vec2u(found.key, select(NO_CLASS, params.classes - 1u - index, tied));
}

// The largest key at and above which classes weigh as much as the goal: its digits of two bits, the highest first.
fn descend(at: Invocation, lane: u32, start: u32, row: RowSum, search: Search, levels: u32) -> Found {
  var found = Found(0u, 0.0, 0.0, search.goal);
  for (var level = levels; level > 0u; level--) {
    let shift = 2u * (level - 1u);
    let lane_weights = weights_by_digit(lane, start, row, search, found.key, shift);
    let weights = lane_four_sums(at, lane_weights);
    let from_2 = weights.z + weights.w;
    let from_1 = weights.y + from_2;
    if (search.by == BY_MASS && level == levels) {
      found.goal *= weights.x + from_1;
    }
    let reached = vec3f(found.above) + vec3f(from_1, from_2, weights.w) >= vec3f(found.goal);
    let digit = select(select(select(0u, 1u, reached.x), 2u, reached.y), 3u, reached.z);
    found.key |= digit << shift;
    found.above += vec4f(from_1, from_2, weights.w, 0.0)[digit];
    found.equal = weights[digit];
  }
  return found;
}

// What a lane's classes weigh, by the digit of their keys at `shift`, of those keys whose higher digits are the prefix's.
fn weights_by_digit(lane: u32, start: u32, row: RowSum, search: Search, prefix: u32, shift: u32) -> vec4f {
  var sum = vec4f(0.0);
  var block = vec4f(0.0);
  var terms = 0u;
  for (var c = lane; search.needed && c < params.classes; c += LANES) {
    let bits = load(start + c * params.inner);
    var key = order_keys(vec4u(bits)).x;
    var counts = is_kept(key, c, search.last);
    if (search.by == BY_INDEX) {
      counts = counts && key == search.key;
      key = params.classes - 1u - c;
    }
    if (counts && ((key ^ prefix) >> shift) < 4u) {
      let weight = select(1.0, exponential(bits, row.maximum), search.by == BY_MASS);
      block += select(vec4f(0.0), vec4f(weight), vec4u((key >> shift) & 3u) == vec4u(0u, 1u, 2u, 3u));
    }
    terms++;
    if ((terms & 255u) == 0u) {
      sum += block;
      block = vec4f(0.0);
    }
  }
  return sum + block;
}
