// Cross-entropy of a linear head whose logits are never stored (Wijmans et al. 2024, Cut Your Losses in Large-Vocabulary Language Models):
// a tile of some rows and some classes at a time is made, summed and forgotten, and for the gradients made again. What is kept of a row
// is a state of 16 words; the order of all sums is fixed.

import linearLosses from '../../shaders/linear_losses.wgsl';
import linearSlopes from '../../shaders/linear_slopes.wgsl';
import linearStats from '../../shaders/linear_stats.wgsl';
import type { Bound, Constants, GpuWork, HostOperand, RowPass, Spec, Storage, Values } from '../backend.js';
import type { Operation } from '../context.js';
import type { CrossEntropySettings } from '../cpu/cross-entropy.js';
import { sumWeights } from '../cpu/sum-weights.js';
import type { Tensor } from '../tensor.js';
import { choice } from '../validate.js';
import type { Part } from '../webgpu/link.js';
import { bound } from './bindings.js';
import { addGradient, type ClassChunk, chunkBindings, headArrays, type LinearHead } from './linear-product.js';
import { asRows, makeLogits, type RowBlock, some, stateWords, type Tiles, tilePass, tilesOf } from './linear-tiles.js';
import { operand } from './operands.js';
import type { Reduction } from './row-loss.js';
import { ignoring, knownDivisor, lossScratch, sumLosses, weightSum } from './sum-losses.js';
import { temperatureUniforms } from './temperature.js';

/** Options of a linear head's loss. */
export interface LinearLossOptions {
  /** 'mean' by default; 'none' gives one loss a row. */
  reduction?: Reduction;
  /** The derivative of the objective by the loss, in the shape of the loss; 1 by default. */
  upstream?: number | Tensor | ArrayLike<number>;
  /** One number a row, which scales its loss; 'mean' divides by their sum over the rows that count. A row that weighs 0 adds nothing. */
  sampleWeights?: Tensor | ArrayLike<number>;
}

/** A loss whose options were checked. */
export interface LinearLossCall {
  readonly fn: string;
  readonly head: LinearHead;
  readonly settings: CrossEntropySettings;
  /** `targets`, or soft `labels`; and `classWeights`. */
  readonly reads: Operation<string>['reads'];
  readonly check?: Operation<string>['check'];
  /** Results beside the loss: `featuresGradient`, `weight0Gradient`, ..., `biasGradient`, `targetGradient`, `correct` and `logSumExp`. */
  readonly writes: Readonly<Record<string, Spec | undefined>>;
}

/** Runs a loss. */
export function runLinearLoss(
  { fn, head, settings, reads, check, writes }: LinearLossCall,
  { reduction, upstream, sampleWeights }: LinearLossOptions,
): Record<string, Tensor> {
  const { context, rowShape, rows, blocks } = head;
  const kind = choice(fn, 'reduction', reduction, ['none', 'mean', 'sum'], 'mean');
  const none = kind === 'none';
  const aRow: Spec = { dtype: 'float32', shape: rowShape };
  const scalars: Spec = { dtype: 'float32', shape: none ? rowShape : [] };
  const known = (named: Record<string, unknown>) => knownDivisor(kind, named, rows.count, settings.ignoreIndex);
  const given = <V>(value: V | undefined, to: (value: V) => Tensor | HostOperand) =>
    value === undefined ? undefined : to(value);
  return context.run<string>({
    name: fn,
    reads: {
      ...head.reads,
      ...reads,
      sampleWeights: given(sampleWeights, (v) => operand(fn, 'sampleWeights', v, context, aRow, 'one a row')),
      upstream: given(upstream, (v) => operand(fn, 'upstream', v, context, scalars, 'as the loss has')),
    },
    writes: { loss: scalars, ...writes },
    check,
    cpu: (arrays, loops) => {
      const divisor = known(arrays) ?? sumWeights(arrays, rows.count, settings.ignoreIndex);
      const named = arrays as Record<string, Values> & { loss: Values };
      loops.linearLossRows(
        {
          ...named,
          head: headArrays(head, arrays),
          logSumExps: named.logSumExp,
          weightGradients: blocks.map((_, i) => named[`weight${i}Gradient`]),
        },
        rows.count,
        settings,
        { none, divisor },
      );
    },
    gpu: (gpu, storages) => recordLinearLoss(gpu, storages, { head, none, divisor: known(storages), settings }),
  });
}

/** What the kernels of a loss are told. */
interface LinearLoss {
  readonly head: LinearHead;
  readonly none: boolean;
  /** What losses are divided by; null where it is known only on the device. */
  readonly divisor: number | null;
  readonly settings: CrossEntropySettings;
}

/** The tiles of a call, and what its passes share. */
interface Tiling extends LinearLoss, Tiles {
  /** Whether any is asked for. */
  readonly gradients: boolean;
  readonly uniforms: Readonly<Record<string, number>>;
  readonly constants: Constants;
}

/** Records a loss. The storages, by name: those of the head, `targets` or `labels`, weights, and results. */
function recordLinearLoss(gpu: GpuWork, storages: Record<string, Storage>, loss: LinearLoss): void {
  const tiling = tilingOf(gpu, storages, loss);
  const { none, head, rowBlocks, chunks } = tiling;
  const count = head.rows.count;
  const divisor =
    loss.divisor === null
      ? weightSum(gpu, storages, { count, classes: head.classes }, loss.settings.ignoreIndex)
      : undefined;
  const divided = { divided_by: loss.divisor ?? 1 };
  const losses = none ? storages.loss : lossScratch(gpu, count);
  for (const rows of rowBlocks) {
    for (const chunk of chunks) {
      makeLogits(tiling, rows, chunk);
      addStats(tiling, rows, chunk);
    }
    finishRows(tiling, rows, losses, divided, divisor);
  }
  if (tiling.gradients) addGradients(tiling);
  if (!none) sumLosses(gpu, losses, storages.loss, count, divided, bound(divisor));
}

function tilingOf(gpu: GpuWork, storages: Record<string, Storage>, loss: LinearLoss): Tiling {
  const { head, settings } = loss;
  const { smoothing, zLoss, softcap, temperature } = settings;
  const narrows = storages.weight0Gradient?.dtype === 'float16';
  const gradients = Object.entries(storages).some(([name, storage]) => storage && name.endsWith('Gradient'));
  return {
    ...loss,
    ...tilesOf(gpu, storages, head, storages.labels ? 4 * head.classes : 0, gradients, narrows ? head.depth : 0),
    gradients,
    uniforms: { ...temperatureUniforms(temperature), smoothing, z_loss: zLoss, all_classes: head.classes },
    constants: { SMOOTHING: !!smoothing, Z_LOSS: !!zLoss, SOFTCAP: softcap },
  };
}

/** A pass over a tile of logits, that reads or writes the rows' states. */
function ownPass(tiling: Tiling, kernel: Part, rows: RowBlock, chunk: ClassChunk, rest: Partial<RowPass>): void {
  const { storages, head, states, uniforms, constants } = tiling;
  tilePass(tiling, kernel, rows, chunk, {
    bindings: {
      states: some(states, rows, stateWords),
      labels: some(storages.labels, rows, head.classes),
      class_weights: bound(storages.classWeights),
      ...rest.bindings,
    },
    uniforms,
    constants: { ...constants, ...rest.constants },
  });
}

function addStats(tiling: Tiling, rows: RowBlock, chunk: ClassChunk): void {
  const { storages } = tiling;
  ownPass(tiling, linearStats, rows, chunk, {
    bindings: { targets: some(storages.targets, rows) },
    constants: { METRICS: !!storages.correct },
  });
}

function finishRows(
  { gpu, storages, head, none, states, settings, uniforms, constants }: Tiling,
  rows: RowBlock,
  losses: Storage,
  divided: { readonly divided_by: number },
  divisor: Storage | undefined,
): void {
  const { targets, sampleWeights, upstream, correct, logSumExp } = storages;
  gpu.rows({
    kernel: linearLosses,
    rows: asRows(rows.count, head.classes),
    bindings: {
      states: some(states, rows, stateWords),
      sample_weights: some(sampleWeights, rows),
      upstream: none ? some(upstream, rows) : bound(upstream),
      divisor: bound(divisor),
      losses: some(losses, rows),
      correct: some(correct, rows),
      log_sum_exps: some(logSumExp, rows),
    },
    uniforms: { ...uniforms, ...divided, ...ignoring(settings.ignoreIndex) },
    constants: {
      ...constants,
      OF_INDICES: !!targets,
      ONE_HOT: !!targets && !settings.smoothing,
      ONE_UPSTREAM: !!upstream && !none,
    },
  });
}

/** A gradient as floats: itself, or scratch that is narrowed to it. */
interface Sums {
  /** Some of its numbers. */
  at(first: number, count: number): Bound;
  done(first: number, count: number): void;
}

/** @param size of the scratch; numbers from `base` on are in it */
function sumsOf({ gpu }: Tiling, gradient: Storage, size: number, base: (first: number) => number): Sums {
  if (gradient.dtype === 'float32') return { at: (first, count) => [gradient, 0, first, count], done() {} };
  const floats = gpu.scratch('float32', size);
  const at = (first: number, count: number): Bound => [floats, 0, first - base(first), count];
  return { at, done: (first, count) => gpu.narrow(at(first, count), [gradient, 0, first, count]) };
}

function addGradients(tiling: Tiling): void {
  const { storages, head, rowBlocks, chunks } = tiling;
  const { depth, blocks, rows } = head;
  const { featuresGradient, biasGradient, targetGradient } = storages;
  const ofWeights = blocks.map((_, i) => storages[`weight${i}Gradient`]);
  const { width } = tiling;
  // Backwards, since the tile still holds the logits that were made last.
  const backwards = [...rowBlocks].reverse();
  const [last] = backwards;
  const ofFeatures = featuresGradient && sumsOf(tiling, featuresGradient, rows.count * depth, () => 0);
  const ofBias = biasGradient && sumsOf(tiling, biasGradient, width, (first) => first);
  [...chunks].reverse().forEach((chunk, n) => {
    const weightGradient = ofWeights[chunk.block];
    const ofWeight = weightGradient && sumsOf(tiling, weightGradient, width * depth, (first) => first);
    const own = [chunk.firstOfBlock * depth, chunk.some * depth] as const;
    const sums = { gradient: ofWeight?.at(...own), bias_gradient: ofBias?.at(chunk.first, chunk.some) };
    if (!last) addToWeights(tiling, { first: 0, count: 0 }, chunk, sums, false);
    for (const block of backwards) {
      if (n > 0 || block !== last) makeLogits(tiling, block, chunk);
      const bindings = { output: bound(tiling.tile), target_gradient: some(targetGradient, block, head.classes) };
      ownPass(tiling, linearSlopes, block, chunk, { bindings });
      if (ofFeatures)
        addToFeatures(tiling, block, chunk, ofFeatures.at(block.first * depth, block.count * depth), n > 0);
      if (ofWeight || ofBias) addToWeights(tiling, block, chunk, sums, block !== last);
    }
    ofWeight?.done(...own);
    ofBias?.done(chunk.first, chunk.some);
  });
  for (const { first, count } of rowBlocks) ofFeatures?.done(first * depth, count * depth);
}

function addToFeatures(
  { gpu, storages, head, tile, states }: Tiling,
  rows: RowBlock,
  chunk: ClassChunk,
  gradient: Bound,
  adds: boolean,
): void {
  const { weight, scales } = chunkBindings(head, storages, chunk);
  const bindings = { slopes: bound(tile), states: some(states, rows, stateWords), weight, scales, gradient };
  addGradient(gpu, { rows: rows.count, classes: chunk.some, depth: head.depth, turned: false, adds, bindings });
}

function addToWeights(
  { gpu, storages, head, tile, states }: Tiling,
  rows: RowBlock,
  chunk: ClassChunk,
  sums: Record<'gradient' | 'bias_gradient', Bound | undefined>,
  adds: boolean,
): void {
  const { depth } = head;
  const weight = some(storages.features, rows, depth)!;
  const bindings = { slopes: bound(tile), states: some(states, rows, stateWords), weight, ...sums };
  addGradient(gpu, { rows: rows.count, classes: chunk.some, depth, turned: true, adds, bindings });
}
