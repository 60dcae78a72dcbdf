import sampleKernel from '../../shaders/sample.wgsl';
import type { Sampling } from '../cpu/sample.js';
import { largestFloat } from '../numbers.js';
import { rowsOf, withoutAxis } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { classAxis, count, knownOptions, number, positive, share } from '../validate.js';
import { expectTensor, result } from './operands.js';
import { temperatureUniforms } from './temperature.js';

/** Options of `sample`. */
export interface SampleOptions {
  /** What decides the draw: an integer from 0 to 2^53 - 1. Another seed is an independent draw, so give each call its own. */
  seed: number;
  /** Logits are divided by it before all else; 1 by default. Near 0, the draw is the argmax. */
  temperature?: number;
  /** Keeps the k most probable classes, exactly: ties by the lower index. From 1 to the number of classes, which is the default. */
  topK?: number;
  /** Keeps the fewest of the most probable classes whose mass reaches topP of what topK kept: above 0 and at most 1, the default. */
  topP?: number;
  /** Keeps the classes at least minP times as probable as the most probable one; from 0, the default, to 1. */
  minP?: number;
  /** The class axis; the last by default. */
  axis?: number;
  /** Where to write the result. */
  out?: Tensor;
}

/**
 * One class a row, drawn at random by its probability, after temperature, topK, topP and minP, in this order and with the meaning
 * that they have in Hugging Face's transformers (but that topK keeps exactly k where classes tie).
 *
 * The same logits and seed give the same answer on every backend and device, whatever their plan, but for draws whose two best
 * classes, or topP sums whose border, lie within rounding of each other. Rows are independent, and row r of any batch draws alike.
 * A mass within 4e-6 of topP reaches it, so that exact ties fall alike everywhere. At least one class is always kept.
 *
 * A class at -Infinity is never drawn. A row that is all -Infinity, or holds NaN or +Infinity, has no answer: it gives -1.
 * @param logits any shape with at least one axis; float32 or float16
 * @returns one int32 a row: the shape without the class axis
 * @throws TypeError without a seed; RangeError for an option out of range, an axis that does not fit or an empty class axis
 */
export function sample(logits: Tensor, options: SampleOptions): Tensor {
  const fn = 'sample';
  knownOptions(fn, options, ['seed', 'temperature', 'topK', 'topP', 'minP', 'axis', 'out']);
  const { context, shape } = expectTensor(fn, 'logits', logits);
  const axis = classAxis(fn, shape, options?.axis);
  const rows = rowsOf(shape, axis);
  const sampling = samplingOf(fn, options, rows.classes);
  const { samples } = context.run({
    name: fn,
    reads: { logits },
    writes: { samples: result(fn, 'out', options.out, context, { dtype: 'int32', shape: withoutAxis(shape, axis) }) },
    cpu: (arrays, loops) => loops.sampleRows(arrays.logits, arrays.samples, rows, sampling),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: sampleKernel,
        rows,
        bindings: { input: [storages.logits, rows.classes], samples: [storages.samples, 1] },
        ...constantsOf(sampling),
      }),
  });
  return samples;
}

/** Mass that reaches topP less this share of it has reached topP: sums of float32 and of float64 then agree on exact ties. */
const slack = 2 ** -18;

/** The options, checked; what keeps every class is undefined. */
function samplingOf(fn: string, options: SampleOptions, classes: number): Sampling {
  const whole = `an integer from 0 to ${Number.MAX_SAFE_INTEGER}`;
  const seed = number(fn, 'seed', options?.seed, null, whole, (v) => Number.isSafeInteger(v) && v >= 0);
  const topK = count(fn, 'topK', options.topK, classes, classes);
  const topP = number(fn, 'topP', options.topP, 1, 'a number above 0 and at most 1', (v) => v > 0 && v <= 1);
  const minP = share(fn, 'minP', options.minP, 0);
  return {
    seed: { low: seed % 2 ** 32, high: Math.floor(seed / 2 ** 32) },
    temperature: positive(fn, 'temperature', options.temperature, 1),
    topK: topK === classes ? undefined : topK,
    topP: topP === 1 ? undefined : Math.max(topP * (1 - slack), 1e-30), // not 0 as float32
    farthest: Math.log(1 / minP),
  };
}

function constantsOf({ seed, temperature, topK, topP, farthest }: Sampling) {
  return {
    uniforms: {
      ...temperatureUniforms(temperature),
      seed_low: seed.low,
      seed_high: seed.high,
      top_k: topK ?? 0,
      top_p: topP ?? 0,
      farthest: Math.min(farthest, largestFloat),
    },
    constants: { TOP_K: topK === undefined ? 0 : 1, TOP_P: topP === undefined ? 0 : 1 },
  };
}
