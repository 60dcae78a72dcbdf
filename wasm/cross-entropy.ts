// src/cpu/cross-entropy.ts, of class indices and rows whose classes lie side by side; without smoothing and softcap.

import { firstOf } from './arg-extreme';
import { logTotal, rest, rowExponentials, rowMaximum, rowSum, ties } from './row-sum';
import { scaleRow } from './softmax';

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
  let sum: f64 = 0;
  for (let r: usize = 0; r < rows; r++, logits += stride, gradient += gradient ? stride : 0) {
    const target = load<i32>(targets + (r << 2));
    const weight = sampleWeights ? <f64>load<f32>(sampleWeights + (r << 2)) : 1;
    const ignored = ignores && target == ignoreIndex;
    const counts = !ignored && weight != 0;
    const slopes = gradient != 0 && counts && divisor != 0;
    if (gradient && !slopes && gradient != logits) memory.fill(gradient, 0, stride);
    if (!counts && !correct) {
      if (gradient == logits) memory.fill(gradient, 0, stride);
      if (none) store<f32>(losses + (r << 2), 0);
      continue;
    }
    const maximum = rowMaximum(logits, classes);
    const known = <usize>target < classes;
    // Read before the gradient comes to lie over the logits.
    const logit = known ? load<f32>(logits + (<usize>target << 2)) : NaN;
    const best = correct && !ignored && logit == maximum && firstOf(logits, classes, maximum) == target;
    if (slopes) rowExponentials(logits, gradient, classes, maximum, inverse);
    else rowSum(logits, classes, maximum, inverse);
    if (gradient && !slopes) memory.fill(gradient, 0, stride);
    const logarithm = logTotal(maximum);
    const logSumExp = <f64>maximum * inverse + logarithm;
    const mass = classWeights && known ? <f64>load<f32>(classWeights + (<usize>target << 2)) : 1;
    const distance = (<f64>maximum - <f64>logit) * inverse;
    // 0 on a masked class adds 0; an infinite weight has no answer.
    const around = mass == 0 ? 0 : distance == Infinity ? distance : mass * distance;
    const loss = (mass - mass + mass) * logarithm + around + (zLoss != 0 ? zLoss * logSumExp * logSumExp : 0);
    if (correct) {
      store<i32>(correct + (r << 2), <i32>(best && loss == loss));
      const infinite = isNaN(logarithm) && !isNaN(rest);
      store<f32>(logSumExps + (r << 2), infinite ? maximum : <f32>logSumExp);
    }
    const weighted = counts ? weight * loss : 0;
    if (none) store<f32>(losses + (r << 2), <f32>weighted);
    sum += weighted;
    if (!slopes) continue;
    const given = upstream ? <f64>load<f32>(upstream + (none ? r << 2 : 0)) : 1;
    const scale = ((weight / divisor) * given) * inverse;
    const total = ties + rest;
    const ofSum = 2 * zLoss * logSumExp;
    const factor = isNaN(loss) ? NaN : ((mass + ofSum) * scale) / total;
    const place = gradient + (<usize>target << 2);
    const own = known ? <f64>load<f32>(place) : NaN;
    scaleRow(gradient, classes, <f32>factor);
    if (!known || isNaN(loss)) continue;
    // Taken from the others, a confident row keeps its digits.
    const others = logit == maximum ? ties - 1 + rest : total - own;
    store<f32>(place, <f32>(((ofSum * own - mass * others) / total) * scale));
  }
  return sum;
}
