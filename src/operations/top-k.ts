import topKKernel from '../../shaders/top_k.wgsl';
import { topKRows } from '../cpu/top-k.js';
import { rowsOf } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { classAxis, count, knownOptions } from '../validate.js';
import { comparable, expectTensor, result } from './operands.js';
import { orderOf } from './order.js';

/** Options of `topK`. */
export interface TopKOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** Where to write the results. */
  out?: { values: Tensor; indices: Tensor };
}

/** What `topK` gives: k values and classes a row, largest first. */
export interface TopKResult {
  /** The k largest of each row, the largest first; the dtype of x. */
  values: Tensor;
  /** The class that each is of; int32. */
  indices: Tensor;
}

/**
 * The k largest classes of each row, sorted (torch.topk): ties by the lower index, a NaN above all.
 * @param x any shape with at least one axis; float32, float16, int32 or uint32
 * @param k an integer from 1 to the number of classes
 * @returns values and indices in the shape of x with k in place of the classes
 * @throws RangeError for a k or an axis that does not fit or an empty class axis
 */
export function topK(x: Tensor, k: number, options: TopKOptions = {}): TopKResult {
  const fn = 'topK';
  knownOptions(fn, options, ['axis', 'out']);
  const { context, shape, dtype } = expectTensor(fn, 'x', x, comparable);
  const axis = classAxis(fn, shape, options.axis);
  const rows = rowsOf(shape, axis);
  count(fn, 'k', k, null, rows.classes);
  if (options.out !== undefined) knownOptions(`${fn}: "out"`, options.out, ['values', 'indices']);
  const best = shape.map((length, i) => (i === axis ? k : length));
  return context.run({
    name: fn,
    reads: { x },
    writes: {
      values: result(fn, 'out.values', options.out?.values, context, { dtype, shape: best }, [x]),
      indices: result(fn, 'out.indices', options.out?.indices, context, { dtype: 'int32', shape: best }),
    },
    cpu: (arrays) => topKRows(arrays.x, arrays.values, arrays.indices, rows, k),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: topKKernel,
        rows,
        splits: k <= 8 ? { kernel: topKKernel, words: 16 } : undefined, // the 8 best of a strip, by key and index
        seams: { order: orderOf(dtype) },
        bindings: { input: [storages.x, rows.classes], output: [storages.values, k], indices: [storages.indices, k] },
        uniforms: { k },
        constants: { PAIRS: 8 },
      }),
  });
}
