// The passes of a loss beside its own: what 'mean' divides by, and the last, where it is one number.

import sumRowsKernel from '../../shaders/sum_rows.wgsl';
import sumWeightsKernel from '../../shaders/sum_weights.wgsl';
import type { Bound, GpuWork, Storage } from '../backend.js';
import type { Rows } from '../rows.js';
import { bound } from './bindings.js';

/** Losses that one row of lanes adds up: more are cut into slices of as many, for accuracy and to keep the device busy. */
const most = 4096;

/** Room for losses that are to be added up: whole slices, as they are bound. */
export const lossScratch = (gpu: GpuWork, count: number): Storage =>
  gpu.scratch('float32', count > most ? Math.ceil(count / most) * most : count);

/**
 * Writes the sum of `count` losses, divided, to `total`.
 * @param losses made by `lossScratch`
 * @param divisor where the divisor is known only on the device, in place of `divided_by`
 */
export function sumLosses(
  gpu: GpuWork,
  losses: Storage,
  total: Storage,
  count: number,
  divided: { readonly divided_by: number },
  divisor?: Bound,
): void {
  let [from, left] = [losses, count];
  const pass = (slices: number, classes: number, to: Storage, last: boolean) => {
    const rows: Rows = { outer: slices, classes, inner: 1, count: slices };
    const bindings = { losses: [from, classes], total: [to, 1], divisor: last ? divisor : undefined } as const;
    gpu.rows({
      kernel: sumRowsKernel,
      rows,
      bindings,
      uniforms: { ...(last ? divided : { divided_by: 1 }), count: left },
    });
  };
  while (left > most) {
    const slices = Math.ceil(left / most);
    const sums = lossScratch(gpu, slices);
    pass(slices, most, sums, false);
    [from, left] = [sums, slices];
  }
  pass(1, left, total, true);
}

/** What losses are divided by; null where it is known only on the device. @param named `targets` and weights, where there are any */
export function knownDivisor(
  reduction: string,
  named: Readonly<Record<string, unknown>>,
  rows: number,
  ignoreIndex: number | null,
): number | null {
  if (reduction !== 'mean') return reduction === 'batchmean' ? rows : 1;
  const varies = named.sampleWeights || (named.targets && (named.classWeights || ignoreIndex !== null));
  return varies ? null : rows;
}

export const ignoring = (ignoreIndex: number | null) => ({
  ignores: ignoreIndex === null ? 0 : 1,
  ignore_index: ignoreIndex ?? 0,
});

/** The divisor of 'mean', made on the device. */
export function weightSum(
  gpu: GpuWork,
  { targets, classWeights, sampleWeights }: Readonly<Record<string, Storage | undefined>>,
  { count, classes }: Pick<Rows, 'count' | 'classes'>,
  ignoreIndex: number | null,
): Storage {
  const sum = gpu.scratch('float32', 1);
  gpu.rows({
    kernel: sumWeightsKernel,
    rows: { outer: 1, classes: count, inner: 1, count: 1 },
    bindings: {
      weight_sum: [sum, 0],
      targets: bound(targets),
      class_weights: bound(classWeights),
      sample_weights: bound(sampleWeights),
    },
    uniforms: { ...ignoring(ignoreIndex), count, classes },
  });
  return sum;
}
