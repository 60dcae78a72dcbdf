// What src/cpu/linear-loss.ts needs of the rows of a tile of logits; of each row two float64 are given or taken.

import { expBelow } from './exp';
import { distances, loadTail, maximum, others, rowSum, storeTail, top } from './row-sum';

/** Gives the maximum of each row, and the sum of the others' exponentials beside it. */
export function sumRows(x: usize, pairs: usize, rows: usize, classes: usize, inverseTemperature: f64): void {
  for (; rows > 0; rows--) {
    rowSum(x, classes, inverseTemperature);
    store<f64>(pairs, maximum);
    store<f64>(pairs, others / top + 0 * <f64>maximum, 8);
    x += classes << 2;
    pairs += 16;
  }
}

/** Takes a maximum, and what the exponentials beside it, which take the place of the logits, are multiplied by. */
export function scaledRows(x: usize, pairs: usize, rows: usize, classes: usize, inverseTemperature: f64): void {
  for (; rows > 0; rows--) {
    const from = <f32>load<f64>(pairs);
    const factor = f32x4.splat(<f32>load<f64>(pairs, 8));
    const end = x + (classes << 2);
    for (; end - x >= 16; x += 16)
      v128.store(x, f32x4.mul(expBelow(distances(v128.load(x), from, inverseTemperature)), factor));
    const left = (end - x) >> 2;
    if (left) storeTail(x, f32x4.mul(expBelow(distances(loadTail(x, left), from, inverseTemperature)), factor), left);
    x = end;
    pairs += 16;
  }
}
