// What every elementwise loss has in common: its options, and the passes over the GPU. Twin of shaders/lib/element_loss.wgsl.

import type { Constants, GpuWork, HostOperand, Spec, Storage } from '../backend.js';
import type { Context, Operation } from '../context.js';
import { type ElementLoss, type ElementLossArrays, elementLosses } from '../cpu/element-loss.js';
import type { Reducing } from '../cpu/row-loss.js';
import { elementsOf } from '../rows.js';
import { type NestedNumbers, Tensor } from '../tensor.js';
import { choice, flag, knownOptions } from '../validate.js';
import type { Part } from '../webgpu/link.js';
import { bound } from './bindings.js';
import { type BroadcastOperand, broadcastOperand } from './broadcast.js';
import { expectTensor, floats, operand, result } from './operands.js';
import type { LossOptions, LossResult, Reduction } from './row-loss.js';
import { lossScratch, sumLosses } from './sum-losses.js';

/** Numbers in the shape of the input: a tensor, or arrays in its place. */
export type ElementTargets = Tensor | ArrayLike<number> | NestedNumbers;

/** Options of every elementwise loss. With reduction 'none' the loss has the shape of the input; 'mean' divides by its elements. */
export interface ElementLossOptions extends LossOptions {
  /** They scale the loss of each element, broadcast to the input as in NumPy; float32. An element that weighs 0 adds nothing, whatever it holds. */
  weights?: ElementTargets;
}

const common = ['reduction', 'gradient', 'gradientOut', 'upstream', 'weights'];

/** A loss whose common options were checked. */
export interface ElementLossCall {
  readonly fn: string;
  readonly context: Context;
  readonly input: Tensor;
  readonly targets: Tensor | HostOperand;
  readonly weights?: BroadcastOperand;
  readonly upstream?: Tensor | HostOperand;
  readonly reduction: Reduction | 'batchmean';
  readonly writes: { readonly loss: Spec; readonly gradient?: Tensor | Spec };
}

/** Checks what all elementwise losses share. @param own names of the options that only this loss has */
export function elementLossCall(
  fn: string,
  name: string,
  value: Tensor,
  targets: unknown,
  options: Omit<ElementLossOptions, 'reduction'> & { reduction?: string },
  own: readonly string[] = [],
  reductions: readonly ElementLossCall['reduction'][] = ['none', 'mean', 'sum'],
): ElementLossCall {
  knownOptions(fn, options, [...common, ...own]);
  const input = expectTensor(fn, name, value);
  const { context, shape, dtype } = input;
  const reduction = choice(fn, 'reduction', options.reduction, reductions, 'mean');
  const loss: Spec = { dtype: 'float32', shape: reduction === 'none' ? shape : [] };
  const { weights, upstream, gradientOut } = options;
  const wants = flag(fn, 'gradient', options.gradient) || gradientOut !== undefined;
  return {
    fn,
    context,
    input,
    reduction,
    targets: targetsLike(fn, targets, context, shape),
    weights: weights === undefined ? undefined : broadcastOperand(fn, 'weights', weights, context, shape),
    upstream: upstream === undefined ? undefined : operand(fn, 'upstream', upstream, context, loss, 'as the loss has'),
    writes: { loss, gradient: wants ? result(fn, 'gradientOut', gradientOut, context, { dtype, shape }) : undefined },
  };
}

function targetsLike(fn: string, targets: unknown, context: Context, shape: readonly number[]): Tensor | HostOperand {
  if (targets instanceof Tensor && !floats.includes(targets.dtype))
    throw new TypeError(`${fn}: "targets" must be float32 or float16, got ${targets.dtype}`);
  const dtype = targets instanceof Tensor ? targets.dtype : 'float32';
  return operand(fn, 'targets', targets, context, { dtype, shape }, 'one target an element');
}

/** What is a loss's own. */
export interface OwnElementLoss {
  readonly kernel: Part;
  readonly element: ElementLoss;
  readonly posWeight?: BroadcastOperand;
  readonly check?: Operation<string>['check'];
  readonly uniforms?: Readonly<Record<string, number>>;
  readonly constants?: Constants;
}

/** Runs a loss. The input is `input` among the arrays of the CPU. */
export function runElementLoss(call: ElementLossCall, own: OwnElementLoss): LossResult {
  const { context, input, targets, weights, upstream, reduction } = call;
  const reads = { input, targets, weights: weights?.value, posWeight: own.posWeight?.value, upstream };
  const reducing = { none: reduction === 'none', divisor: divisorOf(call) };
  return context.run<string>({
    name: call.fn,
    reads: { ...reads, axes: axesOf(weights, own.posWeight) },
    writes: call.writes,
    check: own.check,
    cpu: (arrays) => elementLosses(arrays as unknown as ElementLossArrays, reducing, own.element),
    gpu: (gpu, storages) => record(gpu, storages, call, own, reducing),
  }) as Record<string, Tensor> & LossResult;
}

function divisorOf({ input, reduction }: ElementLossCall): number {
  if (reduction === 'batchmean') return input.shape[0] ?? 1;
  return reduction === 'mean' ? input.size : 1;
}

/** Of both operands, one after the other. */
function axesOf(weights?: BroadcastOperand, posWeight?: BroadcastOperand): HostOperand | undefined {
  if (!weights && !posWeight) return undefined;
  const values = Uint32Array.from([...(weights?.axes ?? [0]), ...(posWeight?.axes ?? [])]);
  return { dtype: 'uint32', shape: [values.length], values };
}

function record(
  gpu: GpuWork,
  storages: Record<string, Storage>,
  { input: { size }, weights }: ElementLossCall,
  own: OwnElementLoss,
  { none, divisor }: Reducing,
): void {
  const { input, targets, loss, gradient, axes, posWeight, upstream } = storages;
  const losses = none ? loss : lossScratch(gpu, size);
  const divided = { divided_by: divisor };
  gpu.rows({
    kernel: own.kernel,
    rows: elementsOf(size),
    bindings: {
      input: bound(input, 1),
      targets: bound(targets, 1),
      weights: bound(storages.weights, weights?.full ? 1 : 0),
      pos_weight: bound(posWeight),
      axes: bound(axes),
      upstream: bound(upstream, none ? 1 : 0),
      losses: bound(losses, 1),
      output: bound(gradient, 1),
    },
    uniforms: { ...divided, ...own.uniforms },
    constants: { ONE_UPSTREAM: !!upstream && !none, WEIGHTS_FULL: !!weights?.full, ...own.constants },
  });
  if (!none) sumLosses(gpu, losses, loss, size, divided);
}
