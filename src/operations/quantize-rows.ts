import quantizeRowsKernel from '../../shaders/quantize_rows.wgsl';
import rowScalesKernel from '../../shaders/row_scales.wgsl';
import { quantizeRowsOf } from '../cpu/quantize-rows.js';
import { ShapeError } from '../errors.js';
import { rowsOf } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { shown } from '../validate.js';
import { foursABinding } from './bindings.js';
import { expectTensor } from './operands.js';

/**
 * A weight as int8 with one scale a row: a quarter of the bytes of float32, for `linear`, `linearCrossEntropy` and `linearTopK`. A row's
 * scale is its largest magnitude over 127, and its numbers are rounded to the nearest multiple; a row that is not finite has scale NaN.
 * @param weight [C, D]; float32 or float16
 * @returns weight [C, D], int8, and scales [C], float32
 * @throws ShapeError for a weight that has not two axes, RangeError for one without columns
 */
export function quantizeRows(weight: Tensor): { weight: Tensor; scales: Tensor } {
  const fn = 'quantizeRows';
  const { context, shape } = expectTensor(fn, 'weight', weight);
  if (shape.length !== 2) throw new ShapeError(`${fn}: "weight" must have shape [C, D], got ${shown(shape)}`);
  const [classes, depth] = shape;
  if (depth === 0) throw new RangeError(`${fn}: the rows of "weight" are empty, its shape is ${shown(shape)}`);
  const { bytes, scales } = context.run({
    name: fn,
    reads: { weight },
    writes: { bytes: { dtype: 'int8', shape }, scales: { dtype: 'float32', shape: [classes] } },
    cpu: (arrays) => quantizeRowsOf(arrays.weight, arrays.bytes, arrays.scales, depth),
    gpu: (gpu, storages) => {
      const rows = rowsOf(shape, 1);
      const { weight, bytes, scales } = storages;
      gpu.rows({ kernel: rowScalesKernel, rows, bindings: { input: [weight, depth], scales: [scales, 1] } });
      // Whole words of the result: rows by fours.
      const step = foursABinding(gpu, 4 * depth);
      for (let first = 0; first < classes; first += step) {
        const count = Math.min(step, classes - first);
        const some = [0, first * depth, count * depth] as const;
        gpu.rows({
          kernel: quantizeRowsKernel,
          rows: { outer: 1, classes: depth, inner: 1, count: 1 },
          bindings: { input: [weight, ...some], scales: [scales, 0, first, count], bytes: [bytes, ...some] },
          uniforms: { length: count * depth },
          workgroups: () => Math.ceil((count * depth) / 256),
        });
      }
    },
  });
  return { weight: bytes, scales };
}
