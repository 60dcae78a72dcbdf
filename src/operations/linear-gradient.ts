import linearGradientKernel from '../../shaders/linear_gradient.wgsl';
import { linearGradients } from '../cpu/linear-gradient.js';
import type { Tensor } from '../tensor.js';

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
    cpu: (arrays) => linearGradients(arrays.features, arrays.gradient, arrays.weight, arrays.bias, depth, classes),
    gpu: (gpu, storages) =>
      gpu.rows({
        kernel: linearGradientKernel,
        rows: { outer: classes, classes: depth, inner: 1, count: classes },
        bindings: {
          features: [storages.features, 0],
          gradient: [storages.gradient, 0],
          weight_gradient: [storages.weight, depth],
          bias_gradient: storages.bias && [storages.bias, 1],
        },
        uniforms: { samples, features: depth, classes },
        workgroups: (rows) => Math.ceil((Math.ceil(rows / 4) * Math.ceil((depth + 1) / 4)) / 64),
      }),
  });
  return { weight, bias };
}
