// The last passes of a loss that is one number.

import sumRowsKernel from '../../shaders/sum_rows.wgsl';
import type { Bound, GpuWork, Storage } from '../backend.js';
import type { Rows } from '../rows.js';

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
