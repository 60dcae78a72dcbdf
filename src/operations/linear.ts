import type { Spec } from '../backend.js';
import type { Tensor } from '../tensor.js';
import { knownOptions } from '../validate.js';
import { bytesEach, rowsABinding } from './bindings.js';
import {
  chunkBindings,
  classChunks,
  headArrays,
  type LinearHeadOptions,
  linearHead,
  linearProduct,
  type Weight,
} from './linear-product.js';
import { result } from './operands.js';

export interface LinearOptions extends LinearHeadOptions {
  /** Where to write the result. */
  out?: Tensor;
}

/**
 * features x weight transposed + bias: the plain logits of a linear head (torch.nn.functional.linear). Sums are float32, on
 * the CPU closed every 256 terms (float64 without WebAssembly).
 * @param features [..., D]; float32 or float16
 * @param weight [C, D], or a list of blocks of its rows; float32, float16, or int8 with `scales`
 * @returns logits [..., C] of the dtype of the features
 * @throws ShapeError where the shapes do not fit together; TypeError for an int8 weight without scales
 */
export function linear(features: Tensor, weight: Weight, options: LinearOptions = {}): Tensor {
  const fn = 'linear';
  knownOptions(fn, options, ['bias', 'scales', 'out']);
  const head = linearHead(fn, 'features', features, weight, options);
  const { context, rows, rowShape, depth, classes } = head;
  const spec: Spec = { dtype: features.dtype, shape: [...rowShape, classes] };
  const operands = Object.values(head.reads);
  const { logits } = context.run({
    name: fn,
    reads: head.reads,
    writes: { logits: result(fn, 'out', options.out, context, spec, operands) },
    cpu: (arrays, loops) => loops.linearRows(headArrays(head, arrays), rows.count, arrays.logits),
    gpu: (gpu, storages) => {
      for (const chunk of classChunks(head, (block) => rowsABinding(gpu, depth * bytesEach(block)))) {
        linearProduct(gpu, {
          rows,
          depth,
          ...chunkBindings(head, storages, chunk),
          features: [storages.features, depth],
          output: [storages.logits, classes],
          stride: classes,
          first: chunk.first,
          some: chunk.some,
        });
      }
    },
  });
  return logits;
}
