// src/cpu/softmax.ts, of rows whose classes lie side by side.

import { few, logSoftmaxOfFew, softmaxOfFew } from './few-classes';
import { distances, exponentialsOfSoftmax, loadTail, logTotal, rest, rowExponentials, rowMaximum, rowSum, storeTail, ties } from './row-sum';

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
    const maximum = rowMaximum(logits, classes);
    let total: f64;
    if (inverseTemperature == 1) total = exponentialsOfSoftmax(logits, result, classes, maximum);
    else {
      rowExponentials(logits, result, classes, maximum, inverseTemperature);
      total = ties + rest;
    }
    // 0 times an infinite maximum is NaN, as is the rest beside a NaN.
    scaleRow(result, classes, <f32>(1 / (total + 0 * <f64>maximum)));
    logits += stride;
    result += stride;
  }
}

// @ts-ignore: decorator
@inline
function logRow<Scaled>(x: usize, y: usize, classes: usize, maximum: f32, logarithm: f64, inverse: f64): void {
  const m = f32x4.splat(maximum);
  const scale = f64x2.splat(inverse);
  const l = f32x4.splat(<f32>logarithm);
  const end = x + (classes << 2);
  const toY = y - x;
  for (; end - x >= 16; x += 16) v128.store(x + toY, f32x4.sub(distances<Scaled>(v128.load(x), m, scale), l));
  const left = (end - x) >> 2;
  if (left) storeTail(x + toY, f32x4.sub(distances<Scaled>(loadTail(x, left), m, scale), l), left);
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
    const maximum = rowMaximum(logits, classes);
    rowSum(logits, classes, maximum, inverseTemperature);
    const logarithm = logTotal(maximum);
    if (inverseTemperature == 1) logRow<i32>(logits, result, classes, maximum, logarithm, 1);
    else logRow<f32>(logits, result, classes, maximum, logarithm, inverseTemperature);
    logits += stride;
    result += stride;
  }
}
