import clipGradientsKernel from '../../shaders/clip_gradients.wgsl';
import sumSquaresKernel from '../../shaders/sum_squares.wgsl';
import { clipElements } from '../cpu/clip-gradients.js';
import { elementsOf } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { number, shown } from '../validate.js';
import { expectOf, expectTensor } from './operands.js';
import { sumLosses } from './sum-losses.js';

/** Elements that one row of lanes squares and adds up. */
const slice = 4096;

/**
 * Scales gradients, in place, so that their norm all together is no more than `maxNorm` (torch.nn.utils.clip_grad_norm_): each is
 * multiplied by min(1, maxNorm / (norm + 1e-6)). Nothing is read back. Squares are float32 on the GPU: beyond a norm of 1.8e19 it is
 * infinite, and the gradients become 0.
 * @param gradients one or more float32 tensors of one context
 * @returns the norm as it was, a scalar tensor
 * @throws RangeError for a maxNorm that is not positive; TypeError for gradients that are no float32 tensors, or share their memory
 */
export function clipGradients(gradients: readonly Tensor[], maxNorm: number): Tensor {
  const fn = 'clipGradients';
  if (!Array.isArray(gradients) || gradients.length === 0)
    throw new TypeError(`${fn}: "gradients" must be an array of one or more tensors, got ${shown(gradients)}`);
  const { context } = expectTensor(fn, 'gradients[0]', gradients[0], ['float32']);
  gradients.forEach((gradient, i) => {
    expectOf(fn, `gradients[${i}]`, gradient, context, ['float32']);
    if (gradients.indexOf(gradient) < i) throw new TypeError(`${fn}: "gradients[${i}]" is among the gradients twice`);
  });
  number(fn, 'maxNorm', maxNorm, null, 'a positive number', (v) => v > 0);
  const named = Object.fromEntries(gradients.map((gradient, i) => [`gradient${i}`, gradient]));
  const slices = gradients.map(({ size }) => Math.ceil(size / slice));
  const total = slices.reduce((sum, count) => sum + count, 0);
  const { norm } = context.run<string>({
    name: fn,
    reads: named, // too: what failed before stays with them
    writes: { ...named, norm: { dtype: 'float32', shape: [] } },
    cpu: (arrays) =>
      clipElements(
        gradients.map((_, i) => arrays[`gradient${i}`]),
        arrays.norm,
        maxNorm,
      ),
    gpu: (gpu, storages) => {
      const each = gradients.map((gradient, i) => ({ storage: storages[`gradient${i}`], size: gradient.size }));
      const squares = gpu.scratch('float32', 1);
      const sums = gpu.scratch('float32', Math.max(1, total));
      let first = 0;
      for (const [i, { storage, size }] of each.entries()) {
        // Cut by hand: the last slice is shorter than a row that is bound.
        for (let from = 0; from < size; from += mostBound(gpu.maxBinding)) {
          const count = Math.min(mostBound(gpu.maxBinding), size - from);
          const rows = Math.ceil(count / slice);
          gpu.rows({
            kernel: sumSquaresKernel,
            rows: { outer: rows, classes: slice, inner: 1, count: rows },
            bindings: { gradient: [storage, 0, from, count], sums: [sums, 0, first + from / slice, rows] },
            uniforms: { count },
          });
        }
        first += slices[i];
      }
      sumLosses(gpu, sums, squares, total, { divided_by: 1 });
      const clip = { kernel: clipGradientsKernel, uniforms: { most: Math.min(maxNorm, 3e38) } };
      gpu.rows({ ...clip, rows: elementsOf(1), bindings: { squares: [squares, 0], norm: [storages.norm, 0] } });
      for (const { storage, size } of each) {
        const bindings = { squares: [squares, 0], input: [storage, 1], output: [storage, 1] } as const;
        gpu.rows({ ...clip, rows: elementsOf(size), bindings });
      }
    },
  });
  return norm;
}

const mostBound = (maxBinding: number): number => Math.max(1, Math.floor((maxBinding / 4 - 64) / slice)) * slice;
