// What every loss with a class axis has in common: its options, and the passes over the GPU. Twin of shaders/base/row_loss.wgsl.

import type { Bound, Constants, GpuWork, HostOperand, Spec, Splits, Storage, Values } from '../backend.js';
import type { Context, Operation } from '../context.js';
import type { Reducing, RowLossArrays } from '../cpu/row-loss.js';
import { sumWeights } from '../cpu/sum-weights.js';
import { type Rows, rowsOf, withoutAxis } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { choice, classAxis, flag, knownOptions } from '../validate.js';
import type { Part } from '../webgpu/link.js';
import { bound } from './bindings.js';
import { expectTensor, operand, result } from './operands.js';
import { ignoring, knownDivisor, lossScratch, sumLosses, weightSum } from './sum-losses.js';

/** What becomes of the losses of the rows: their weighted mean, their sum, or nothing. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Options of every loss. */
export interface LossOptions {
  /** 'mean' by default; 'none' gives one loss a row. */
  reduction?: Reduction;
  /** Whether to give the derivative by the first argument too, from the same pass. */
  gradient?: boolean;
  /** Where to write the gradient; may be the first argument itself. Implies `gradient`. */
  gradientOut?: Tensor;
  /** The derivative of the objective by the loss, in the shape of the loss; 1 by default. */
  upstream?: number | Tensor | ArrayLike<number>;
}

/** Options of every loss with a class axis. */
export interface RowLossOptions extends LossOptions {
  /** The class axis; the last by default. */
  axis?: number;
  /** One number a row, which scales its loss; 'mean' divides by their sum over the rows that count. A row that weighs 0 adds nothing. */
  sampleWeights?: Tensor | ArrayLike<number>;
}

/** What a loss gives. */
export interface LossResult {
  /** float32: a scalar, or with reduction 'none' one a row. */
  loss: Tensor;
  /** The derivative of the objective by the first argument, in its shape and dtype; where it was asked for. */
  gradient?: Tensor;
}

const common = ['axis', 'reduction', 'gradient', 'gradientOut', 'upstream', 'sampleWeights'];

/** A loss whose common options were checked. */
export interface RowLossCall {
  readonly fn: string;
  readonly context: Context;
  readonly input: Tensor;
  readonly rows: Rows;
  readonly rowShape: readonly number[];
  readonly reduction: Reduction | 'batchmean';
  readonly reads: { readonly sampleWeights?: Tensor | HostOperand; readonly upstream?: Tensor | HostOperand };
  readonly writes: { readonly loss: Spec; readonly gradient?: Tensor | Spec };
}

/** Checks what all losses with a class axis share. @param own names of the options that only this loss has */
export function rowLossCall(
  fn: string,
  name: string,
  value: Tensor,
  options: Omit<RowLossOptions, 'reduction'> & { reduction?: RowLossCall['reduction'] },
  own: readonly string[],
  reductions: readonly RowLossCall['reduction'][] = ['none', 'mean', 'sum'],
): RowLossCall {
  knownOptions(fn, options, [...common, ...own]);
  const input = expectTensor(fn, name, value);
  const { context, shape, dtype } = input;
  const axis = classAxis(fn, shape, options.axis);
  const rowShape = withoutAxis(shape, axis);
  const reduction = choice(fn, 'reduction', options.reduction, reductions, 'mean');
  const scalars: Spec = { dtype: 'float32', shape: reduction === 'none' ? rowShape : [] };
  const weights: Spec = { dtype: 'float32', shape: rowShape };
  const { upstream, sampleWeights, gradientOut } = options;
  const wants = flag(fn, 'gradient', options.gradient) || gradientOut !== undefined;
  return {
    fn,
    context,
    input,
    rows: rowsOf(shape, axis),
    rowShape,
    reduction,
    reads: {
      sampleWeights:
        sampleWeights === undefined
          ? undefined
          : operand(fn, 'sampleWeights', sampleWeights, context, weights, 'one a row'),
      upstream:
        upstream === undefined ? undefined : operand(fn, 'upstream', upstream, context, scalars, 'as the loss has'),
    },
    writes: {
      loss: scalars,
      gradient: wants ? result(fn, 'gradientOut', gradientOut, context, { dtype, shape }) : undefined,
    },
  };
}

/** What a loss reads and writes on the CPU; of `targets` and `labels`, those that it has. */
type LossArrays = RowLossArrays & Record<'input' | 'targets' | 'labels', Values> & Record<string, Values>;

/** What is a loss's own. */
export interface RowLoss<W extends string> {
  readonly kernel: Part;
  /** What is named `targets` and `classWeights` here enters the divisor of 'mean'. */
  readonly reads?: Operation<W>['reads'];
  readonly writes?: Partial<Record<W, Tensor | Spec>>;
  readonly check?: Operation<W>['check'];
  /** Class indices are named `targets` among the reads; those that equal this are ignored. */
  readonly ignoreIndex?: number | null;
  readonly uniforms?: Readonly<Record<string, number>>;
  readonly constants?: Constants;
  readonly seams?: Readonly<Record<string, Part>>;
  /** Whether the kernel takes few long rows in strips. */
  readonly splits?: Splits;
  /** Bindings of the kernel that are its own. */
  bindings?(storages: Record<string, Storage>): Record<string, Bound | undefined>;
  /** Results of the kernel that are its own: left to passes of their own where the device cannot bind all at once. */
  extras?(storages: Record<string, Storage>): Record<string, Bound | undefined>;
  cpu(arrays: LossArrays, reducing: Reducing): void;
}

/** Runs a loss. The input is `input` among the arrays of the CPU. */
export function runRowLoss<W extends string>(call: RowLossCall, loss: RowLoss<W>): LossResult & Record<W, Tensor> {
  const { rows, reduction } = call;
  const ignoreIndex = loss.ignoreIndex ?? null;
  const known = (named: Record<string, unknown>) => knownDivisor(reduction, named, rows.count, ignoreIndex);
  const results = call.context.run<string>({
    name: call.fn,
    reads: { input: call.input, ...call.reads, ...loss.reads },
    writes: { ...call.writes, ...loss.writes },
    check: loss.check,
    cpu: (arrays) => {
      const divisor = known(arrays) ?? sumWeights(arrays, rows.count, ignoreIndex);
      loss.cpu(arrays as LossArrays, { none: reduction === 'none', divisor });
    },
    gpu: (gpu, storages) => record(gpu, storages, call, loss, known(storages)),
  });
  return results as LossResult & Record<W, Tensor>;
}

function record<W extends string>(
  gpu: GpuWork,
  storages: Record<string, Storage>,
  { rows, reduction }: RowLossCall,
  own: RowLoss<W>,
  known: number | null,
): void {
  const { input, loss, gradient, targets, classWeights, sampleWeights, upstream } = storages;
  const none = reduction === 'none';
  const divisor = known === null ? weightSum(gpu, storages, rows, own.ignoreIndex ?? null) : undefined;
  const losses = none ? loss : lossScratch(gpu, rows.count);
  const divided = { divided_by: known ?? 1 };
  const pass = (results: Record<string, Bound | undefined>) =>
    gpu.rows({
      kernel: own.kernel,
      rows,
      bindings: {
        input: bound(input, rows.classes),
        targets: bound(targets, 1),
        class_weights: bound(classWeights),
        sample_weights: bound(sampleWeights, 1),
        upstream: bound(upstream, none ? 1 : 0),
        divisor: bound(divisor),
        ...own.bindings?.(storages),
        ...results,
      },
      uniforms: { ...divided, ...ignoring(own.ignoreIndex ?? null), ...own.uniforms },
      constants: { ONE_UPSTREAM: !!upstream && !none, ...own.constants },
      seams: own.seams,
      splits: own.splits,
    });
  const main: Record<string, Bound | undefined> = { losses: bound(losses, 1), output: bound(gradient, rows.classes) };
  const extras = Object.entries(own.extras?.(storages) ?? {}).filter(([, bound]) => bound);
  // Six operands and two results are the most that one pass of any loss has without extras.
  if (8 + extras.length <= gpu.maxStorageBuffers) pass({ ...main, ...Object.fromEntries(extras) });
  else {
    // Before the main pass, whose gradient may overwrite the logits.
    for (const [name, bound] of extras) pass({ [name]: bound });
    pass(main);
  }
  if (!none) sumLosses(gpu, losses, loss, rows.count, divided, bound(divisor));
}
