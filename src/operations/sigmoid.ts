import sigmoidKernel from '../../shaders/sigmoid.wgsl';
import { sigmoidElements } from '../cpu/sigmoid.js';
import { elementsOf } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { knownOptions, positive } from '../validate.js';
import { expectTensor, result } from './operands.js';

/** Options of `sigmoid`. */
export interface SigmoidOptions {
  /** Logits are divided by it; 1 by default. */
  temperature?: number;
  /** Where to write the result; may be the logits themselves. */
  out?: Tensor;
}

/**
 * 1 / (1 + exp(-x / temperature)) of each element (torch.sigmoid): the probability of each class of a multi-label head.
 * @param logits any shape, a scalar too; float32 or float16
 * @returns probabilities of the same shape and dtype; NaN stays NaN
 * @throws RangeError for a temperature that is not positive
 */
export function sigmoid(logits: Tensor, options: SigmoidOptions = {}): Tensor {
  const fn = 'sigmoid';
  knownOptions(fn, options, ['temperature', 'out']);
  const { context, shape, dtype, size } = expectTensor(fn, 'logits', logits);
  const temperature = positive(fn, 'temperature', options.temperature, 1);
  const { probabilities } = context.run({
    name: fn,
    reads: { logits },
    writes: { probabilities: result(fn, 'out', options.out, context, { dtype, shape }) },
    cpu: (arrays) => sigmoidElements(arrays.logits, arrays.probabilities, temperature),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: sigmoidKernel,
        rows: elementsOf(size),
        bindings: { input: [storages.logits, 1], output: [storages.probabilities, 1] },
        uniforms: { inverse_temperature: Math.min(1 / temperature, 3e38) },
      }),
  });
  return probabilities;
}
