import tallyKernel from '../../shaders/tally.wgsl';
import { tallyRows } from '../cpu/tally.js';
import type { Tensor } from '../tensor.js';
import { bound } from './bindings.js';

/**
 * Adds a step to [loss x rows, right answers, rows], in place, so that many steps are read back as three numbers.
 * @internal
 * @param loss a scalar, the mean over the rows that count
 * @param correct int32 [N]
 * @param targets int32 [N] where the rows with `ignoreIndex` do not count, else null
 * @param totals float32 [3]
 * @param starts whether what totals hold is forgotten
 */
export function tally(
  loss: Tensor,
  correct: Tensor,
  targets: Tensor | null,
  ignoreIndex: number,
  totals: Tensor,
  starts: boolean,
): void {
  const count = correct.size;
  totals.context.run({
    name: 'tally',
    reads: { loss, correct, targets: targets ?? undefined, totals },
    writes: { totals },
    cpu: (arrays) => tallyRows(arrays.loss, arrays.correct, arrays.targets, arrays.totals, ignoreIndex, starts),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: tallyKernel,
        rows: { outer: 1, classes: count, inner: 1, count: 1 },
        bindings: {
          loss: [storages.loss, 0],
          correct: [storages.correct, 0],
          targets: bound(storages.targets),
          totals: [storages.totals, 0],
        },
        uniforms: { starts: starts ? 1 : 0, ignores: targets ? 1 : 0, ignore_index: ignoreIndex },
      }),
  });
}
