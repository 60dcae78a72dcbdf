// src/cpu/top-k.ts, of floats whose classes lie side by side, for small k: the best so far stand sorted in the result, and what is not
// above the last of them is passed over sixteen at a time.

import { few, mostOfFew, topKOfFew } from './few-classes';

/** Puts a value at its place among `count` sorted ones, behind its equals; the last is lost where there are k. */
// @ts-ignore: decorator
@inline
function insert(value: f32, index: i32, values: usize, indices: usize, count: i32, k: i32): void {
  let j = count < k ? count : k - 1;
  for (; j > 0; j--) {
    const before = load<f32>(values + ((j - 1) << 2));
    if (!(value > before || (value != value && before == before))) break;
    store<f32>(values + (j << 2), before);
    store<i32>(indices + (j << 2), load<i32>(indices + ((j - 1) << 2)));
  }
  store<f32>(values + (j << 2), value);
  store<i32>(indices + (j << 2), index);
}

export function topKRows(x: usize, values: usize, indices: usize, rows: usize, classes: i32, k: i32): void {
  if (<usize>classes <= few && <usize>k <= mostOfFew) {
    topKOfFew(x, values, indices, rows, classes, k);
    return;
  }
  for (; rows > 0; rows--) {
    for (let c = 0; c < k; c++) insert(load<f32>(x + (c << 2)), c, values, indices, c, k);
    let worst = load<f32>(values + ((k - 1) << 2));
    for (let c = k; c < classes; ) {
      if (classes - c >= 16) {
        const w = f32x4.splat(worst);
        const at = x + (c << 2);
        const low = v128.and(f32x4.le(v128.load(at), w), f32x4.le(v128.load(at, 16), w));
        const high = v128.and(f32x4.le(v128.load(at, 32), w), f32x4.le(v128.load(at, 48), w));
        if (i32x4.all_true(v128.and(low, high))) {
          c += 16;
          continue;
        }
      }
      for (const stop = min(classes, c + 16); c < stop; c++) {
        const value = load<f32>(x + (c << 2));
        if (value <= worst || worst != worst) continue;
        insert(value, c, values, indices, k, k);
        worst = load<f32>(values + ((k - 1) << 2));
      }
    }
    x += classes << 2;
    values += k << 2;
    indices += k << 2;
  }
}
