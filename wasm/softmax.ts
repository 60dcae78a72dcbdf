// src/cpu/softmax.ts, of rows whose classes lie side by side.

import { few, logSoftmaxOfFew, softmaxOfFew } from './few-classes';
import { distances, loadTail, logTotal, maximum, others, rowExponentials, rowSum, storeTail, top } from './row-sum';

// @ts-ignore: decorator
@inline
export function scaleRow(x: usize, classes: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  const end = x + (classes << 2);
  for (; end - x >= 16; x += 16) v128.store(x, f32x4.mul(v128.load(x), f));
  for (; x < end; x += 4) store<f32>(x, load<f32>(x) * factor);
}

export function softmaxRows(logits: usize, result: usize, rows: usize, classes: usize, inverseTemperature: f64): void {
  const stride = classes << 2;
  if (classes <= few && inverseTemperature == 1) {
    softmaxOfFew(logits, result, rows, classes);
    return;
  }
  for (; rows > 0; rows--) {
    rowExponentials(logits, result, classes, inverseTemperature);
    // 0 times an infinite maximum is NaN, as is the sum beside a NaN.
    scaleRow(result, classes, <f32>(1 / (top + others + 0 * <f64>maximum)));
    logits += stride;
    result += stride;
  }
}

// @ts-ignore: decorator
@inline
function logRow<Scaled>(x: usize, y: usize, classes: usize, logarithm: f64, inverse: f64): void {
  const m = f32x4.splat(maximum);
  const l = f32x4.splat(<f32>logarithm);
  const end = x + (classes << 2);
  const toY = y - x;
  for (; end - x >= 16; x += 16) {
    const v = v128.load(x);
    v128.store(x + toY, f32x4.sub(isFloat<Scaled>() ? distances(v, maximum, inverse) : f32x4.sub(v, m), l));
  }
  const left = (end - x) >> 2;
  if (!left) return;
  const v = loadTail(x, left);
  storeTail(x + toY, f32x4.sub(isFloat<Scaled>() ? distances(v, maximum, inverse) : f32x4.sub(v, m), l), left);
}

export function logSoftmaxRows(
  logits: usize,
  result: usize,
  rows: usize,
  classes: usize,
  inverseTemperature: f64,
): void {
  const stride = classes << 2;
  if (classes <= few && inverseTemperature == 1) {
    logSoftmaxOfFew(logits, result, rows, classes);
    return;
  }
  for (; rows > 0; rows--) {
    rowSum(logits, classes, inverseTemperature);
    const logarithm = logTotal();
    if (inverseTemperature == 1) logRow<i32>(logits, result, classes, logarithm, 1);
    else logRow<f32>(logits, result, classes, logarithm, inverseTemperature);
    logits += stride;
    result += stride;
  }
}
