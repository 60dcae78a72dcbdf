// What two lanes make of their values. A value is two words; each way to merge reads them in its own manner.

const MERGE_MAX = 0u;  // two unsigned integers, the larger of each
const MERGE_SUM = 1u;  // two floats, the sum of each
const MERGE_BEST = 2u; // a key and an index: the larger key, and of equal keys the lower index

fn merged(how: u32, a: vec2u, b: vec2u) -> vec2u {
  switch how {
    case MERGE_MAX: {
      return max(a, b);
    }
    case MERGE_SUM: {
      return bitcast<vec2u>(bitcast<vec2f>(a) + bitcast<vec2f>(b));
    }
    default: {
      return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
    }
  }
}
