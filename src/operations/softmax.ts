import softmaxKernel from '../../shaders/softmax.wgsl';
import { softmaxRows } from '../cpu/softmax.js';
import { rowsOf } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { classAxis, knownOptions, positive } from '../validate.js';
import { expectTensor, result } from './operands.js';
import { rowSums } from './row-parts.js';
import { temperatureUniforms } from './temperature.js';

/** Options of `softmax` and `logSoftmax`. */
export interface SoftmaxOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** Logits are divided by it; 1 by default. Above 1 flattens, below 1 sharpens. */
  temperature?: number;
  /** Where to write the result; may be the logits themselves. */
  out?: Tensor;
}

/**
 * The probabilities of each row: exp(x / temperature) over the sum of them along the class axis (torch.softmax).
 *
 * A class at -Infinity gets exactly 0. A row that is all -Infinity, or holds NaN or +Infinity, is NaN, and no other row is touched.
 * @param logits any shape with at least one axis; float32 or float16
 * @returns probabilities of the same shape and dtype
 * @throws RangeError for an axis that does not fit, an empty class axis, or a temperature that is not positive
 */
export function softmax(logits: Tensor, options?: SoftmaxOptions): Tensor {
  return normalized('softmax', logits, options, false);
}

/**
 * The logarithms of the probabilities of each row (torch.log_softmax), in nats; exact also where a probability is near 1 or rounds to 0.
 *
 * A class at -Infinity gets -Infinity. A row that is all -Infinity, or holds NaN or +Infinity, is NaN.
 * @param logits any shape with at least one axis; float32 or float16
 * @returns log-probabilities of the same shape and dtype
 * @throws as `softmax`
 */
export function logSoftmax(logits: Tensor, options?: SoftmaxOptions): Tensor {
  return normalized('logSoftmax', logits, options, true);
}

function normalized(fn: string, logits: Tensor, options: SoftmaxOptions = {}, log: boolean): Tensor {
  knownOptions(fn, options, ['axis', 'temperature', 'out']);
  const { context, shape, dtype } = expectTensor(fn, 'logits', logits);
  const rows = rowsOf(shape, classAxis(fn, shape, options.axis));
  const temperature = positive(fn, 'temperature', options.temperature, 1);
  const { probabilities } = context.run({
    name: fn,
    reads: { logits },
    writes: { probabilities: result(fn, 'out', options.out, context, { dtype, shape }) },
    cpu: (arrays) => softmaxRows(arrays.logits, arrays.probabilities, rows, temperature, log),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: softmaxKernel,
        rows,
        splits: rowSums,
        keeps: !log,
        bindings: { input: [storages.logits, rows.classes], output: [storages.probabilities, rows.classes] },
        uniforms: temperatureUniforms(temperature),
        constants: { LOG: log },
      }),
  });
  return probabilities;
}
