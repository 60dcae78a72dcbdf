import gatherRowsKernel from '../../shaders/gather_rows.wgsl';
import type { DType } from '../backend.js';
import { gatherElements } from '../cpu/gather-rows.js';
import { sizeOf } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { bytesEach, rowsABinding } from './bindings.js';

/**
 * The rows of `source`, along its first axis, that `order` names from element `start` on. float16 becomes float32.
 * @internal
 * @param source at least one axis
 * @param order uint32 numbers of rows
 * @param into how many rows, or the tensor to write them to
 */
export function gatherRows(source: Tensor, order: Tensor, start: number, into: number | Tensor): Tensor {
  const rest = source.shape.slice(1);
  const depth = sizeOf(rest);
  const dtype: DType = source.dtype === 'float16' ? 'float32' : source.dtype;
  const count = typeof into === 'number' ? into : into.shape[0];
  const { result } = source.context.run({
    name: 'gatherRows',
    reads: { source, order },
    writes: { result: typeof into === 'number' ? { dtype, shape: [count, ...rest] } : into },
    cpu: (arrays) => gatherElements(arrays.source, arrays.order, arrays.result, depth, start),
    gpu: (gpu, storages) => {
      const most = Math.max(1, rowsABinding(gpu, depth * bytesEach(source)));
      for (let first = 0; first < source.shape[0]; first += most) {
        const some = Math.min(most, source.shape[0] - first);
        gpu.rows({
          kernel: gatherRowsKernel,
          rows: { outer: count, classes: depth, inner: 1, count },
          bindings: {
            input: [storages.source, 0, first * depth, some * depth],
            output: [storages.result, depth],
            order: [storages.order, 0],
          },
          uniforms: { order_start: start, piece_start: first, piece_rows: some },
        });
      }
    },
  });
  return result;
}
