// What a training makes small: a loss of a batch, its gradients by weight and bias, and how many answers are right.

import { binaryCrossEntropy } from '../operations/binary-cross-entropy.js';
import { countCorrect } from '../operations/count-correct.js';
import { crossEntropy } from '../operations/cross-entropy.js';
import { klDivergence } from '../operations/kl-divergence.js';
import { linearCrossEntropy } from '../operations/linear-cross-entropy.js';
import { linearGradient } from '../operations/linear-gradient.js';
import { expectOf } from '../operations/operands.js';
import { softmax } from '../operations/softmax.js';
import { Tensor } from '../tensor.js';
import { choice, expectShape, knownOptions, positive } from '../validate.js';
import type { Batch, Examples, HeadParts } from './examples.js';
import { logitsOf, manyLogits } from './logits.js';
import { scoped } from './scope.js';

/** A loss of one's own: of logits [n, C] and targets, the mean over the rows and its gradient by the logits. */
export type LossFunction = (logits: Tensor, targets: Tensor) => { loss: Tensor; gradient?: Tensor };

/** What is made small; `fit` says what each asks of the targets. */
export type LossName = 'crossEntropy' | 'binaryCrossEntropy' | 'distillation';

/** A loss that was chosen, with its options. */
export interface Objective {
  readonly name: LossName | 'function';
  /** The options of crossEntropy or binaryCrossEntropy. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly own: LossFunction | null;
  readonly temperature: number;
  /** Of class indices: the one that stands for no class. */
  readonly ignoreIndex: number | null;
  /** Answers a row: C where each class is right or wrong on its own. */
  readonly answers: number;
  /** What the loss is multiplied by when it is told. */
  readonly scale: number;
}

export interface Outcome {
  readonly loss: Tensor;
  readonly correct: Tensor;
  /** By weight, and by bias where the head has one. */
  readonly gradients: readonly Tensor[];
}

const optionsOf: Readonly<Record<Objective['name'], readonly string[]>> = {
  crossEntropy: ['labelSmoothing', 'ignoreIndex', 'zLoss', 'softcap', 'temperature'],
  binaryCrossEntropy: ['posWeight'],
  distillation: ['temperature'],
  function: [],
};

/** @param classWeights one number a class */
export function objectiveOf(
  fn: string,
  { activation, labels }: HeadParts,
  loss: unknown,
  lossOptions: object | undefined,
  classWeights: readonly number[] | undefined,
): Objective {
  const own = typeof loss === 'function' ? (loss as LossFunction) : null;
  const fallback = activation === 'sigmoid' ? 'binaryCrossEntropy' : 'crossEntropy';
  const names = ['crossEntropy', 'binaryCrossEntropy', 'distillation'] as const;
  const name = own ? 'function' : choice(fn, 'loss', loss, names, fallback);
  knownOptions(`${fn}: "lossOptions"`, lossOptions, optionsOf[name]);
  if (classWeights && name !== 'crossEntropy')
    throw new TypeError(`${fn}: "classWeights" needs the loss "crossEntropy"`);
  const given = { ...lossOptions, ...(classWeights ? { classWeights } : {}) } as Record<string, unknown>;
  const temperature = name === 'distillation' ? positive(fn, 'temperature', given.temperature, 2) : 1;
  return {
    name,
    options: given,
    own,
    temperature,
    ignoreIndex:
      name === 'crossEntropy' ? ((given.ignoreIndex ?? (given.ignoreIndex === null ? null : -100)) as number) : null,
    answers: name === 'binaryCrossEntropy' ? labels.length : 1,
    scale: temperature ** 2,
  };
}

/** @throws TypeError where the loss needs other targets */
export function expectTargets(fn: string, { name }: Objective, { soft }: Examples): void {
  if (soft || name === 'crossEntropy' || name === 'function') return;
  const what = name === 'distillation' ? "the teacher's logits" : 'one number a class and row';
  throw new TypeError(`${fn}: the loss "${name}" needs targets of shape [rows, classes], ${what}, got class indices`);
}

/** @param wantsGradients whether to give gradients; none where not */
export function outcomeOf(head: HeadParts, batch: Batch, objective: Objective, wantsGradients: boolean): Outcome {
  if (objective.name === 'crossEntropy' && manyLogits(batch.features.shape[0], head.weight))
    return withoutLogits(head, batch, objective, wantsGradients);
  return scoped((keep) => {
    const logits = keep(logitsOf(head, batch.features));
    const { loss, gradient, correct } = lossOf(logits, batch.targets, objective, wantsGradients);
    if (gradient) keep(gradient);
    const by = wantsGradients && gradient && linearGradient(batch.features, gradient, head.bias !== null);
    return { loss, correct, gradients: by ? [by.weight, ...(by.bias ? [by.bias] : [])] : [] };
  });
}

/** Not for other losses, which have no kernel that makes logits in tiles, nor for a function of one's own, which is given them. */
function withoutLogits(
  { weight, bias }: Pick<HeadParts, 'weight' | 'bias'>,
  { features, targets }: Batch,
  { options, ignoreIndex }: Objective,
  wantsGradients: boolean,
): Outcome {
  const { loss, correct, logSumExp, gradients } = linearCrossEntropy(features, weight, targets, {
    ...options,
    bias: bias ?? undefined,
    ...(targets.shape.length === 1 ? { ignoreIndex } : {}),
    gradients: wantsGradients ? (bias ? ['weight', 'bias'] : ['weight']) : false,
    metrics: true,
  });
  logSumExp!.dispose();
  const by = [gradients?.weight, gradients?.bias].filter((tensor) => tensor instanceof Tensor);
  return { loss, correct: correct!, gradients: by };
}

function lossOf(
  logits: Tensor,
  targets: Tensor,
  { name, options, own, temperature, ignoreIndex }: Objective,
  gradient: boolean,
): { loss: Tensor; gradient?: Tensor; correct: Tensor } {
  if (name === 'crossEntropy') {
    const ignore = targets.shape.length === 1 ? { ignoreIndex } : {};
    const {
      loss,
      gradient: by,
      correct,
      logSumExp,
    } = crossEntropy(logits, targets, {
      ...options,
      ...ignore,
      gradient,
      metrics: true,
    });
    logSumExp!.dispose();
    return { loss, gradient: by, correct: correct! };
  }
  // After the loss, which may be refused: nothing is left then.
  const correct = () => countCorrect(logits, targets, name === 'binaryCrossEntropy');
  if (name === 'binaryCrossEntropy')
    return { ...binaryCrossEntropy(logits, targets, { ...options, gradient }), correct: correct() };
  if (own) return { ...checked(own(logits, targets), logits, gradient), correct: correct() };
  return scoped((keep) => {
    const teacher = keep(softmax(targets, { temperature }));
    // Times the temperature's square, so that gradients keep their size (Hinton and others 2015).
    const upstream = temperature ** 2;
    return { ...klDivergence(logits, teacher, { temperature, gradient, upstream }), correct: correct() };
  });
}

/** What a loss of one's own gave: kernels read it as it is, so that it must be theirs to read. What is refused is freed. */
function checked(
  given: ReturnType<LossFunction>,
  { context, shape }: Tensor,
  wantsGradient: boolean,
): ReturnType<LossFunction> {
  const fn = 'fit: what "loss" returned';
  const { loss, gradient } = given ?? {};
  try {
    if (expectOf(fn, 'loss', loss, context, ['float32']).size !== 1) expectShape(fn, 'loss', loss!.shape, []);
    if (gradient || wantsGradient)
      expectShape(fn, 'gradient', expectOf(fn, 'gradient', gradient, context, ['float32']).shape, shape, "the logits'");
    return given;
  } catch (error) {
    for (const tensor of [loss, gradient]) if (tensor instanceof Tensor) tensor.dispose();
    throw error;
  }
}
