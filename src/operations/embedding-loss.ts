// What every loss of two or three inputs has in common. Twin of shaders/lib/embedding_loss.wgsl.

import type { Constants, HostOperand, Spec, Values } from '../backend.js';
import type { Operation } from '../context.js';
import type { EmbeddingLossArrays } from '../cpu/embedding-loss.js';
import type { Reducing } from '../cpu/row-loss.js';
import { elementsOf, type Rows, rowsOf } from '../rows.js';
import { Tensor } from '../tensor.js';
import { choice, expectShape, flag, knownOptions } from '../validate.js';
import type { Part } from '../webgpu/link.js';
import { bound } from './bindings.js';
import { expectOf, expectTensor, floats, operand } from './operands.js';
import { type LossOptions, type RowLossCall, runRowLoss } from './row-loss.js';

/** Options of every loss of several inputs. Rows are all axes but the last. */
export interface EmbeddingLossOptions extends Omit<LossOptions, 'gradient' | 'gradientOut'> {
  /** Whether to give the derivatives by all inputs too, from the same pass. */
  gradient?: boolean;
  /** One number a row, which scales its loss; 'mean' divides by their sum. A row that weighs 0 adds nothing. */
  sampleWeights?: Tensor | ArrayLike<number>;
}

/** A loss, and with `gradient` its derivatives. */
export interface EmbeddingLossResult<Names extends string> {
  /** float32: a scalar, or with reduction 'none' one a row. */
  loss: Tensor;
  /** The derivatives of the objective by the inputs, each in the shape and dtype of its input. */
  gradients?: Record<Names, Tensor>;
}

const common = ['reduction', 'gradient', 'upstream', 'sampleWeights'];

/** A loss whose common options were checked. */
export interface EmbeddingLossCall<Names extends string> extends RowLossCall {
  /** By parameter name, in order; the first is `input`. */
  readonly inputs: Readonly<Record<Names, Tensor>>;
  readonly wants: boolean;
}

/**
 * Checks what all losses of several inputs share.
 * @param own names of the options that only this loss has
 * @param elementwise whether every element is a row
 */
export function embeddingLossCall<Names extends string>(
  fn: string,
  inputs: Readonly<Record<Names, Tensor>>,
  options: EmbeddingLossOptions,
  own: readonly string[],
  elementwise = false,
): EmbeddingLossCall<Names> {
  knownOptions(fn, options, [...common, ...own]);
  const [[name, first], ...others] = Object.entries<Tensor>(inputs);
  const input = expectTensor(fn, name, first);
  const { context, shape, dtype } = input;
  if (shape.length === 0 && !elementwise) throw new RangeError(`${fn}: needs an axis of features, got a scalar`);
  for (const [other, value] of others)
    expectShape(fn, other, expectOf(fn, other, value, context, floats).shape, shape, `as "${name}" has`);
  const rowShape = elementwise ? shape : shape.slice(0, -1);
  const reduction = choice(fn, 'reduction', options.reduction, ['none', 'mean', 'sum'] as const, 'mean');
  const loss: Spec = { dtype: 'float32', shape: reduction === 'none' ? rowShape : [] };
  const rowsSpec: Spec = { dtype: 'float32', shape: rowShape };
  const { sampleWeights, upstream } = options;
  const wants = flag(fn, 'gradient', options.gradient);
  return {
    fn,
    context,
    input,
    inputs,
    wants,
    rows: elementwise ? elementsOf(input.size) : rowsOf(shape, shape.length - 1),
    rowShape,
    reduction,
    reads: {
      sampleWeights:
        sampleWeights === undefined
          ? undefined
          : operand(fn, 'sampleWeights', sampleWeights, context, rowsSpec, 'one a row'),
      upstream:
        upstream === undefined ? undefined : operand(fn, 'upstream', upstream, context, loss, 'as the loss has'),
    },
    writes: { loss, gradient: wants ? { dtype, shape } : undefined },
  };
}

/** Targets of rows, -1 or 1. */
export function rowSigns({ fn, context, rowShape }: RowLossCall, targets: unknown): Tensor | HostOperand {
  if (targets instanceof Tensor && !floats.includes(targets.dtype))
    throw new TypeError(`${fn}: "targets" must be float32 or float16, got ${targets.dtype}`);
  const dtype = targets instanceof Tensor ? targets.dtype : 'float32';
  return operand(fn, 'targets', targets, context, { dtype, shape: rowShape }, 'one target a row');
}

/** What is a loss's own. */
export interface OwnEmbeddingLoss {
  readonly kernel: Part;
  /** Targets of rows: `signs` or `similar`. */
  readonly reads?: Readonly<Record<string, Tensor | HostOperand>>;
  readonly check?: Operation<string>['check'];
  readonly uniforms: Readonly<Record<string, number>>;
  readonly constants?: Constants;
  cpu(arrays: EmbeddingLossArrays, rows: Rows, reducing: Reducing): void;
}

/** Runs a loss. */
export function runEmbeddingLoss<Names extends string>(
  call: EmbeddingLossCall<Names>,
  own: OwnEmbeddingLoss,
): EmbeddingLossResult<Names> {
  const { rows, inputs, wants } = call;
  const names = Object.keys(inputs) as Names[];
  const [, x2, x3] = Object.values<Tensor | undefined>(inputs);
  const like = (x?: Tensor): Spec | undefined => (x && wants ? { dtype: x.dtype, shape: x.shape } : undefined);
  const { loss, gradient, x2Gradient, x3Gradient } = runRowLoss<'x2Gradient' | 'x3Gradient'>(call, {
    kernel: own.kernel,
    reads: { x2, x3, ...own.reads },
    writes: { x2Gradient: like(x2), x3Gradient: like(x3) },
    check: own.check,
    uniforms: own.uniforms,
    constants: own.constants,
    bindings: ({ x2, x3, signs, similar }) => ({
      x2: bound(x2, rows.classes),
      x3: bound(x3, rows.classes),
      signs: bound(signs, 1),
      similar: bound(similar, 1),
    }),
    extras: ({ x2Gradient, x3Gradient }) => ({
      x2_gradient: bound(x2Gradient, rows.classes),
      x3_gradient: bound(x3Gradient, rows.classes),
    }),
    cpu: (arrays: Record<string, Values>, reducing) =>
      own.cpu(arrays as unknown as EmbeddingLossArrays, rows, reducing),
  });
  if (!wants) return { loss };
  const gradients = [gradient!, x2Gradient, x3Gradient];
  return { loss, gradients: Object.fromEntries(names.map((name, n) => [name, gradients[n]])) as Record<Names, Tensor> };
}
