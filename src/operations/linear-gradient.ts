import type { Tensor } from '../tensor.js';
import { foursABinding } from './bindings.js';
import { addGradient } from './linear-product.js';

/**
 * The derivatives of a linear layer by weight [C, D] and bias [C].
 * @internal
 * @param features [N, D], float32
 * @param gradient of the logits, [N, C], float32
 */
export function linearGradient(
  features: Tensor,
  gradient: Tensor,
  wantsBias: boolean,
): { weight: Tensor; bias: Tensor | undefined } {
  const [samples, depth] = features.shape;
  const classes = gradient.shape[1];
  const { weight, bias } = features.context.run<'weight' | 'bias'>({
    name: 'linearGradient',
    reads: { features, gradient },
    writes: {
      weight: { dtype: 'float32', shape: [classes, depth] },
      bias: wantsBias ? { dtype: 'float32', shape: [classes] } : undefined,
    },
    cpu: (arrays, loops) =>
      loops.linearGradients(arrays.features, arrays.gradient, arrays.weight, arrays.bias, depth, classes),
    gpu: (gpu, storages) => {
      const step = foursABinding(gpu, 4 * depth);
      for (let first = 0; first < classes; first += step) {
        const some = Math.min(step, classes - first);
        addGradient(gpu, {
          rows: samples,
          classes: some,
          depth,
          turned: true,
          adds: false,
          stride: classes,
          bindings: {
            slopes: [storages.gradient, 0, first, samples * classes - first],
            weight: [storages.features, 0],
            gradient: [storages.weight, 0, first * depth, some * depth],
            bias_gradient: storages.bias && [storages.bias, 0, first, some],
          },
        });
      }
    },
  });
  return { weight, bias };
}
