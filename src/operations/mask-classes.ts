import maskClassesKernel from '../../shaders/mask_classes.wgsl';
import { maskClassesRows } from '../cpu/mask-classes.js';
import { rowsOf } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { expectTensor, operand } from './operands.js';

/**
 * x with -Infinity in the classes, of the last axis, that are not kept.
 * @internal
 * @param keep one 0 or 1 a class
 */
export function maskClasses(x: Tensor, keep: Tensor | ArrayLike<number>): Tensor {
  const fn = 'maskClasses';
  const { context, shape, dtype } = expectTensor(fn, 'x', x);
  const rows = rowsOf(shape, shape.length - 1);
  const { masked } = context.run({
    name: fn,
    reads: { x, keep: operand(fn, 'keep', keep, context, { dtype: 'uint32', shape: [rows.classes] }) },
    writes: { masked: { dtype, shape } },
    cpu: (arrays) => maskClassesRows(arrays.x, arrays.keep, arrays.masked, rows),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: maskClassesKernel,
        rows,
        bindings: {
          input: [storages.x, rows.classes],
          output: [storages.masked, rows.classes],
          keep: [storages.keep, 0],
        },
      }),
  });
  return masked;
}
