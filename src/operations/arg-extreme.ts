import argExtremeKernel from '../../shaders/arg_extreme.wgsl';
import { argExtremeRows } from '../cpu/arg-extreme.js';
import { rowsOf, withoutAxis } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { classAxis, knownOptions } from '../validate.js';
import { comparable, expectTensor, result } from './operands.js';
import { orderOf } from './order.js';

/** Options of `argmax` and `argmin`. */
export interface ArgOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** Where to write the result. */
  out?: Tensor;
}

/**
 * The index of the largest class of each row (torch.argmax): the first of ties; a NaN is the largest, the first of them.
 * @param x any shape with at least one axis; float32, float16, int32 or uint32
 * @returns one int32 a row: the shape without the class axis
 * @throws RangeError for an axis that does not fit or an empty class axis
 */
export function argmax(x: Tensor, options?: ArgOptions): Tensor {
  return argExtreme('argmax', x, options, false);
}

/**
 * The index of the smallest class of each row (torch.argmin): the first of ties; a NaN is the smallest, the first of them.
 * @param x any shape with at least one axis; float32, float16, int32 or uint32
 * @returns one int32 a row: the shape without the class axis
 * @throws RangeError for an axis that does not fit or an empty class axis
 */
export function argmin(x: Tensor, options?: ArgOptions): Tensor {
  return argExtreme('argmin', x, options, true);
}

function argExtreme(fn: string, x: Tensor, options: ArgOptions = {}, least: boolean): Tensor {
  knownOptions(fn, options, ['axis', 'out']);
  const { context, shape } = expectTensor(fn, 'x', x, comparable);
  const axis = classAxis(fn, shape, options.axis);
  const rows = rowsOf(shape, axis);
  const { indices } = context.run({
    name: fn,
    reads: { x },
    writes: { indices: result(fn, 'out', options.out, context, { dtype: 'int32', shape: withoutAxis(shape, axis) }) },
    cpu: (arrays) => argExtremeRows(arrays.x, arrays.indices, rows, least),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: argExtremeKernel,
        rows,
        splits: { kernel: argExtremeKernel, words: 2 },
        seams: { order: orderOf(x.dtype) },
        bindings: { input: [storages.x, rows.classes], indices: [storages.indices, 1] },
        constants: { LEAST: least },
      }),
  });
  return indices;
}
