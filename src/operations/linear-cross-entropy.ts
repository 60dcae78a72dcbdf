import type { Spec } from '../backend.js';
import { Tensor } from '../tensor.js';
import { flag, knownOptions, shown } from '../validate.js';
import { type CrossEntropyNumbers, settingsOf } from './cross-entropy-settings.js';
import { type LinearLossOptions, runLinearLoss } from './linear-loss.js';
import { expectClassesOf, type LinearHead, type LinearHeadOptions, linearHead, type Weight } from './linear-product.js';
import { operand } from './operands.js';
import { classIndices, expectClasses, isSoft, softLabels, type Targets } from './targets.js';

/** What `linearCrossEntropy` can give a gradient by. */
export type LinearParameter = 'features' | 'weight' | 'bias';

export interface LinearCrossEntropyOptions extends LinearHeadOptions, LinearLossOptions, CrossEntropyNumbers {
  /** Which derivatives to give: a list of names; true for all that there are. */
  gradients?: boolean | readonly LinearParameter[];
  /** One number a class; scales its part of the loss. 'mean' divides by the weights of the targets. */
  classWeights?: Tensor | ArrayLike<number>;
  /** Whether to give the derivative by soft labels too. */
  targetGradient?: boolean;
  /** Whether to give `correct` and `logSumExp`. */
  metrics?: boolean;
  /** Whether targets in a tensor are read back and checked too: on the GPU, results then reject with the RangeError. */
  validate?: boolean;
}

/** Derivatives by the operands of a linear head, each in the shape and dtype of its operand. */
export interface LinearGradients {
  /** By the features, in their shape and dtype. */
  features?: Tensor;
  /** A list where the weight is a list of blocks. */
  weight?: Tensor | Tensor[];
  /** By the bias, [C]. */
  bias?: Tensor;
}

/** What `linearCrossEntropy` gives; what was not asked for is not there. */
export interface LinearCrossEntropyResult {
  /** float32: a scalar, or with reduction 'none' one a row. */
  loss: Tensor;
  /** The derivatives of the objective that were asked for. */
  gradients?: LinearGradients;
  /** The derivative of the objective by the soft labels, in their shape and dtype; with `targetGradient`. */
  targetGradient?: Tensor;
  /** int32, one a row: 1 where the argmax of the logits is the target's, 0 for ignored rows; with `metrics`. */
  correct?: Tensor;
  /** float32, one a row: of the logits after softcap and temperature; with `metrics`. */
  logSumExp?: Tensor;
}

const names = ['bias', 'scales', 'gradients', 'reduction', 'upstream', 'sampleWeights', 'classWeights', 'ignoreIndex'];
const others = ['labelSmoothing', 'zLoss', 'softcap', 'temperature', 'targetGradient', 'metrics', 'validate'];

/**
 * crossEntropy(linear(features, weight, { bias }), targets), and its derivatives, without the logits: they are made a tile at a time, summed
 * and forgotten (Wijmans et al. 2024). The workspace is a few MiB, whatever the number of classes; for gradients, tiles that do not all fit
 * there are made a second time; only a float16 `targetGradient` is made in whole, as floats, first. Every sum has a fixed order: the same
 * call gives the same bits.
 *
 * A bias of -Infinity masks its class. NaN and infinities among the features make their row NaN, among the weights every row.
 * @param features [..., D]; float32 or float16
 * @param weight [C, D], or a list of blocks of its rows; float32, float16, or int8 with `scales`, by which there is no gradient
 * @param targets class indices in the shape of the rows (all axes but the last), or soft labels [..., C], which need not sum to one. An
 *   index in a tensor that is no class gives NaN in its row
 * @throws TypeError for indices that are floats, an unknown option, or a gradient by what there is not; RangeError for an index that is no
 *   class, with the first bad row, or an option out of range; ShapeError where shapes do not fit
 */
export function linearCrossEntropy(
  features: Tensor,
  weight: Weight,
  targets: Targets,
  options: LinearCrossEntropyOptions = {},
): LinearCrossEntropyResult {
  const fn = 'linearCrossEntropy';
  knownOptions(fn, options, [...names, ...others]);
  const head = linearHead(fn, 'features', features, weight, options);
  const { context, rowShape, classes, blocks } = expectClassesOf(fn, head);
  const shape = [...rowShape, classes];
  const soft = isSoft(targets, shape, rowShape);
  const validate = flag(fn, 'validate', options.validate);
  if (soft && options.ignoreIndex != null)
    throw new TypeError(`${fn}: "ignoreIndex" cannot be given with soft targets`);
  const wantsTargets = flag(fn, 'targetGradient', options.targetGradient);
  if (!soft && wantsTargets) throw new TypeError(`${fn}: "targetGradient" needs soft targets, got class indices`);
  const given = settingsOf(fn, options);
  const settings = soft ? { ...given, ignoreIndex: null } : given;
  const { ignoreIndex } = settings;
  const indices = soft ? undefined : classIndices(fn, targets, context, rowShape, classes, ignoreIndex);
  const labels = soft ? softLabels(fn, targets, context, shape) : undefined;
  const metrics = flag(fn, 'metrics', options.metrics);
  const wanted = parametersOf(fn, head, options.gradients);
  const { classWeights } = options;
  const perRow = (dtype: Spec['dtype']): Spec | undefined => (metrics ? { dtype, shape: rowShape } : undefined);
  const results = runLinearLoss(
    {
      fn,
      head,
      settings,
      reads: {
        targets: indices,
        labels,
        classWeights:
          classWeights === undefined
            ? undefined
            : operand(fn, 'classWeights', classWeights, context, { dtype: 'float32', shape: [classes] }, 'one a class'),
      },
      check:
        validate && indices instanceof Tensor
          ? { of: 'targets', expect: (values) => expectClasses(fn, values, classes, ignoreIndex) }
          : undefined,
      writes: {
        ...gradientSpecs(head, wanted),
        targetGradient: wantsTargets ? { dtype: labels!.dtype, shape } : undefined,
        correct: perRow('int32'),
        logSumExp: perRow('float32'),
      },
    },
    options,
  );
  const { loss, correct, logSumExp, featuresGradient, biasGradient, targetGradient } = results;
  const ofWeights = blocks.map((_, i) => results[`weight${i}Gradient`]);
  const all = {
    features: featuresGradient,
    weight: Array.isArray(weight) ? ofWeights : ofWeights[0],
    bias: biasGradient,
  };
  const gradients: LinearGradients = Object.fromEntries(wanted.map((name) => [name, all[name]]));
  const asked = options.gradients !== undefined && options.gradients !== false;
  return {
    loss,
    ...(asked ? { gradients } : {}),
    ...(wantsTargets ? { targetGradient } : {}),
    ...(metrics ? { correct, logSumExp } : {}),
  };
}

/** The operands that gradients are wanted by. */
function parametersOf(
  fn: string,
  { reads, blocks }: LinearHead,
  gradients: LinearCrossEntropyOptions['gradients'],
): readonly LinearParameter[] {
  const packed = blocks.some(({ dtype }) => dtype === 'int8');
  const there = (['features', 'weight', 'bias'] as const).filter(
    (name) => name === 'features' || (name === 'weight' ? !packed : reads.bias),
  );
  if (!Array.isArray(gradients)) return flag(fn, 'gradients', gradients) ? there : [];
  for (const name of gradients) {
    if (!there.includes(name))
      throw new TypeError(
        `${fn}: "gradients" must be true, false or a list of ${there.join(', ')}, got ${shown(name)}`,
      );
  }
  return there.filter((name) => gradients.includes(name));
}

function gradientSpecs(
  { reads, blocks }: LinearHead,
  wanted: readonly LinearParameter[],
): Record<string, Spec | undefined> {
  const like = (name: LinearParameter, of: Spec | undefined): Spec | undefined =>
    wanted.includes(name) && of ? { dtype: of.dtype, shape: of.shape } : undefined;
  return {
    featuresGradient: like('features', reads.features),
    biasGradient: like('bias', reads.bias),
    ...Object.fromEntries(blocks.map((block, i) => [`weight${i}Gradient`, like('weight', block)])),
  };
}
