import linearKernel from '../../shaders/linear.wgsl';
import type { Spec } from '../backend.js';
import { linearRows } from '../cpu/linear.js';
import { ShapeError } from '../errors.js';
import { rowsOf } from '../rows.js';
import { Tensor } from '../tensor.js';
import { expectShape, knownOptions, shown } from '../validate.js';
import { expectOf, expectTensor, floats, operand, result } from './operands.js';

export interface LinearOptions {
  /** One number a class: [C]. */
  bias?: Tensor | ArrayLike<number>;
  /** Where to write the result. */
  out?: Tensor;
}

/**
 * features x weight transposed + bias: the plain logits of a linear head (torch.nn.functional.linear). Sums are float32, on
 * the CPU closed every 256 terms (float64 without WebAssembly).
 * @param features [..., D]; float32 or float16
 * @param weight [C, D]; float32 or float16
 * @returns logits [..., C] of the dtype of the features
 * @throws ShapeError where the shapes do not fit together
 */
export function linear(features: Tensor, weight: Tensor, options: LinearOptions = {}): Tensor {
  const fn = 'linear';
  knownOptions(fn, options, ['bias', 'out']);
  const { context, shape, dtype } = expectTensor(fn, 'features', features);
  if (shape.length === 0) throw new ShapeError(`${fn}: "features" must have shape [..., D], got a scalar`);
  expectOf(fn, 'weight', weight, context);
  if (weight.shape.length !== 2)
    throw new ShapeError(`${fn}: "weight" must have shape [C, D], got ${shown(weight.shape)}`);
  const [classes, depth] = weight.shape;
  expectShape(fn, 'weight', weight.shape, [classes, shape[shape.length - 1]], 'the features being [..., D]');
  const { bias } = options;
  const biasDtype = bias instanceof Tensor && floats.includes(bias.dtype) ? bias.dtype : 'float32';
  const spec: Spec = { dtype, shape: [...shape.slice(0, -1), classes] };
  const { logits } = context.run({
    name: fn,
    reads: {
      features,
      weight,
      bias: bias === undefined ? undefined : operand(fn, 'bias', bias, context, { dtype: biasDtype, shape: [classes] }),
    },
    writes: { logits: result(fn, 'out', options.out, context, spec, [features, weight, bias]) },
    cpu: (arrays) => linearRows(arrays.features, arrays.weight, arrays.bias ?? null, arrays.logits, depth, classes),
    gpu: (gpu, storages) => {
      // The weight is bound in as many pieces as its size asks for.
      const bytes = depth * (weight.dtype === 'float16' ? 2 : 4);
      const most = Math.max(4, Math.floor((gpu.maxBinding - 256) / Math.max(1, bytes)) & ~3);
      for (let first = 0; first < classes; first += most) {
        const some = Math.min(most, classes - first);
        gpu.rows({
          kernel: linearKernel,
          rows: { ...rowsOf(shape, shape.length - 1), classes },
          bindings: {
            features: [storages.features, depth],
            weight: [storages.weight, 0, first * depth, some * depth],
            ...(storages.bias ? { bias: [storages.bias, 0] as const } : {}),
            output: [storages.logits, classes],
          },
          uniforms: { features: depth, first_class: first, some_classes: some },
          workgroups: (rows) => Math.ceil((Math.ceil(rows / 4) * Math.ceil(some / 4)) / 64),
        });
      }
    },
  });
  return logits;
}
