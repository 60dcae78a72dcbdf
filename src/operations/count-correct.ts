import countCorrectKernel from '../../shaders/count_correct.wgsl';
import { countCorrectRows } from '../cpu/count-correct.js';
import type { Tensor } from '../tensor.js';
import { bound } from './bindings.js';

/**
 * int32, one a row: 1 where the argmax of the logits is the target's, else 0; or with `eachClass`, how many classes are right on their
 * own, a logit above 0 standing for a label above 1/2.
 * @internal
 * @param logits [N, C]
 * @param targets int32 [N], or labels [N, C]
 */
export function countCorrect(logits: Tensor, targets: Tensor, eachClass: boolean): Tensor {
  const [count, classes] = logits.shape;
  const soft = targets.shape.length === 2;
  const { correct } = logits.context.run({
    name: 'countCorrect',
    reads: { logits, ...(soft ? { labels: targets } : { targets }) },
    writes: { correct: { dtype: 'int32', shape: [count] } },
    cpu: (arrays) => countCorrectRows(arrays.logits, arrays.targets, arrays.labels, arrays.correct, classes, eachClass),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: countCorrectKernel,
        rows: { outer: count, classes, inner: 1, count },
        bindings: {
          input: [storages.logits, classes],
          targets: bound(storages.targets, 1),
          labels: bound(storages.labels, classes),
          correct: [storages.correct, 1],
        },
        constants: { EACH_CLASS: eachClass },
      }),
  });
  return correct;
}
