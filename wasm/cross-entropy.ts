// src/cpu/cross-entropy.ts, of class indices and rows whose classes lie side by side; without smoothing and softcap.

import { firstOf } from './arg-extreme';
import { few, logsOfFew, maxima, othersOfFew, scatter, scratch, sumsOfFew } from './few-classes';
import { logTotal, maximum, mendOthers, others, rowExponentials, rowMaximum, rowSum, setSum, top } from './row-sum';
import { scaleRow } from './softmax';

// Of the rows of a group, four numbers each: what their exponentials are multiplied by; the derivative by the target's logit, and where in its
// row it lies, or -1 for a row whose derivatives are 0.
const factors: usize = 576;
const atTargets: usize = 592;
const places: usize = 608;

/**
 * Addresses are 0 where the call has no such array. `correct` and `logSumExps` come together.
 * @param none whether losses are written, one a row
 * @returns the sum of the losses
 */
export function crossEntropyRows(
  logits: usize,
  targets: usize,
  classWeights: usize,
  sampleWeights: usize,
  upstream: usize,
  losses: usize,
  gradient: usize,
  correct: usize,
  logSumExps: usize,
  rows: usize,
  classes: usize,
  none: bool,
  divisor: f64,
  ignores: bool,
  ignoreIndex: i32,
  zLoss: f64,
  temperature: f64,
): f64 {
  const stride = classes << 2;
  const inverse = 1 / temperature;
  const lanes = classes <= few && temperature == 1;
  const group: usize = lanes ? 4 : 1;
  let sum: f64 = 0;
  for (let first: usize = 0; first < rows; first += group) {
    const x = logits + first * stride;
    const g = gradient + first * stride;
    const left = min(group, rows - first);
    // Past the last row it stands again.
    const second: usize = left > 1 ? stride : 0;
    const third = left > 2 ? stride << 1 : second;
    const fourth = left > 3 ? stride + (stride << 1) : third;
    if (lanes) sumsOfFew(x, x + second, x + third, x + fourth, stride);
    for (let j: usize = 0; j < left; j++) {
      const r = first + j;
      const row = x + j * stride;
      const lane = j << 2;
      const target = load<i32>(targets + (r << 2));
      const weight = sampleWeights ? <f64>load<f32>(sampleWeights + (r << 2)) : 1;
      const ignored = ignores && target == ignoreIndex;
      const counts = !ignored && weight != 0;
      const slopes = gradient != 0 && counts && divisor != 0;
      store<i32>(places + lane, -1);
      if (!counts && !correct) {
        if (none) store<f32>(losses + (r << 2), 0);
        continue;
      }
      const known = <usize>target < classes;
      const place = known ? <usize>target << 2 : 0;
      // What is read of the logits is read before the gradient comes to lie over them.
      const logit = known ? load<f32>(row + place) : NaN;
      let best = false;
      let infinite = false;
      if (correct) {
        const most = rowMaximum(row, classes);
        best = !ignored && logit == most && firstOf(row, classes, most) == target;
        infinite = abs(most) == Infinity && <usize>firstOf(row, classes, NaN) == classes;
      }
      let logarithm: f64;
      if (lanes) {
        setSum(load<f32>(maxima + lane), 1, load<f64>(othersOfFew + (lane << 1)));
        logarithm = load<f64>(logsOfFew + (lane << 1));
      } else {
        if (slopes) {
          rowExponentials(row, g, classes, inverse);
          mendOthers(g, classes);
        } else rowSum(row, classes, inverse);
        logarithm = logTotal();
      }
      const logSumExp = <f64>maximum * inverse + logarithm;
      const mass = classWeights && known ? <f64>load<f32>(classWeights + place) : 1;
      const distance = (<f64>maximum - <f64>logit) * inverse;
      // 0 on a masked class adds 0; an infinite weight has no answer.
      const around = mass == 0 ? 0 : mass * distance;
      const loss = (mass - mass + mass) * logarithm + around + (zLoss != 0 ? zLoss * logSumExp * logSumExp : 0);
      if (correct) {
        store<i32>(correct + (r << 2), <i32>(best && loss == loss));
        store<f32>(logSumExps + (r << 2), infinite ? maximum : <f32>logSumExp);
      }
      const weighted = counts ? weight * loss : 0;
      if (none) store<f32>(losses + (r << 2), <f32>weighted);
      sum += weighted;
      if (!slopes) continue;
      const given = upstream ? <f64>load<f32>(upstream + (none ? r << 2 : 0)) : 1;
      const scale = ((weight / divisor) * given) * inverse;
      const total = top + others;
      const ofSum = 2 * zLoss * logSumExp;
      const own = <f64>load<f32>(lanes ? scratch + (place << 2) + lane : g + place);
      // Taken from the others, a confident row keeps its digits.
      const beside = logit == maximum ? others : total - own;
      const answer = isNaN(loss) ? NaN : scale / total;
      store<i32>(places + lane, <i32>place);
      store<f32>(factors + lane, <f32>((mass + ofSum) * answer));
      store<f32>(atTargets + lane, <f32>((ofSum * own - mass * beside) * answer));
    }
    if (!gradient) continue;
    if (lanes) {
      const last = load<f32>(factors + ((left - 1) << 2));
      for (let j = left; j < 4; j++) store<f32>(factors + (j << 2), last);
      scatter(g, g + second, g + third, g + fourth, stride, v128.load(factors));
    }
    for (let j: usize = 0; j < left; j++) {
      const lane = j << 2;
      const row = g + j * stride;
      const place = load<i32>(places + lane);
      if (place < 0) {
        memory.fill(row, 0, stride);
        continue;
      }
      if (!lanes) scaleRow(row, classes, load<f32>(factors + lane));
      store<f32>(row + <usize>place, load<f32>(atTargets + lane));
    }
  }
  return sum;
}
