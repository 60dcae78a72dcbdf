// Twin of shaders/linear_stats.wgsl, linear_losses.wgsl and linear_slopes.wgsl: cross-entropy of a linear head, some classes at a time. Sums
// are float64.

import type { Values } from '../backend.js';
import { addProduct, type Numbers } from './add-product.js';
import { type CrossEntropySettings, labelSlope, massOf } from './cross-entropy.js';
import { kernels } from './kernels.js';
import { type ClassBlock, type HeadArrays, logitsOf, type Tiles, tilesOf } from './linear.js';
import { reduceRows } from './reduce-rows.js';
import type { Reducing, RowLossArrays } from './row-loss.js';
import { isUndefined, logSumExpOf, logTotal, othersOf, ownOf, type RowSum } from './row-sum.js';
import { softcapped, softcapSlope } from './softcap.js';

export interface LinearLossArrays extends Omit<RowLossArrays, 'gradient'> {
  readonly head: HeadArrays;
  readonly targets?: Values; // (rows)
  readonly labels?: Values; // (rows, classes), in place of targets
  readonly classWeights?: Values; // (classes)
  readonly correct?: Values; // (rows)
  readonly logSumExps?: Values; // (rows)
  readonly featuresGradient?: Values; // (rows, depth)
  readonly weightGradients: readonly (Values | undefined)[]; // as the blocks
  readonly biasGradient?: Values; // (classes)
  readonly targetGradient?: Values; // as the labels
}

/** The sum of a row of which some classes were seen, beside a maximum that may grow. */
export class GrowingSum implements RowSum {
  maximum: number = Number.NEGATIVE_INFINITY;
  ties = 0;
  rest = 0;
  kind: RowSum['kind'] = 'allMasked';
  /** Sums of a_c and of a_c times the distance to the maximum. */
  mass = 0;
  around = 0;
}

const nothing: readonly [value: number, class_: number] = [Number.NEGATIVE_INFINITY, 0];

/** What is known of a row of which some classes were seen. */
class RowState extends GrowingSum {
  maskedMass = 0; // what it makes of the loss: infinite, of either sign, or 0 for none
  unknown = false; // a target that is no class, or a mass that is no number
  best = nothing;
  wanted = nothing;
  scale: number | null = null; // what derivatives are multiplied by; null where they are 0
}

export function linearLossRows(
  arrays: LinearLossArrays,
  rows: number,
  settings: CrossEntropySettings,
  reducing: Reducing,
): void {
  const { head, targets } = arrays;
  const tiles = tilesOf(head, rows);
  const states = Array.from({ length: rows }, (_, r) => {
    const state = new RowState();
    state.unknown = targets !== undefined && !(targets[r] >= 0 && targets[r] < head.classes);
    return state;
  });
  const plain = isPlain(arrays, settings);
  for (const block of tiles.classBlocks()) {
    const { first, some } = block;
    for (const [from, to] of tiles.rowBlocks(0, rows)) {
      const logits = tiles.room(from, to, block);
      logitsOf(head, from, to, block, logits, true);
      const sums = plain && sumsOf(logits, to - from, some, settings.temperature);
      for (let r = from, start = 0; r < to; r++, start += some) {
        if (sums && addSums(states[r], sums, r - from, settings.temperature)) {
          if (arrays.correct) addBest(states[r], sums[2 * (r - from)], logits, start, first);
          const c = targets![r] - first;
          if (c >= 0 && c < some) addMass(arrays, settings, states[r], r, first + c, logits[start + c]);
        } else {
          for (let c = 0; c < some; c++) addClass(arrays, settings, states[r], r, first + c, logits[start + c]);
        }
      }
    }
  }
  finishRows(arrays, states, settings, reducing);
  addGradients(arrays, states, settings, tiles);
}

/** The mass of class c in row r. */
function massAt(
  { labels, targets, classWeights, head }: LinearLossArrays,
  smoothing: number,
  r: number,
  c: number,
): number {
  const label = labels ? labels[r * head.classes + c] : c === targets?.[r] ? 1 : 0;
  return massOf(label, classWeights?.[c] ?? 1, smoothing, head.classes);
}

function addClass(
  arrays: LinearLossArrays,
  settings: CrossEntropySettings,
  state: RowState,
  r: number,
  c: number,
  logit: number,
): void {
  const { labels, head } = arrays;
  const x = softcapped(logit, settings.softcap);
  const label = labels?.[r * head.classes + c];
  if (logit > state.best[0]) state.best = [logit, c];
  if (label !== undefined && label > state.wanted[0]) state.wanted = [label, c];
  if (Number.isNaN(x)) state.kind = 'nan';
  else if (x !== Number.NEGATIVE_INFINITY) addLogit(state, x, settings.temperature);
  addMass(arrays, settings, state, r, c, x);
}

/** Adds a class's part of the loss, after it was added to the row's sum. */
function addMass(
  arrays: LinearLossArrays,
  { smoothing, temperature }: CrossEntropySettings,
  state: RowState,
  r: number,
  c: number,
  x: number,
): void {
  const a = massAt(arrays, smoothing, r, c);
  if (!Number.isFinite(a)) state.unknown = true;
  if (x === Number.NEGATIVE_INFINITY && a !== 0) state.maskedMass -= a * x;
  state.mass += a;
  if (a !== 0 && Number.isFinite(x)) state.around += (a * (state.maximum - x)) / temperature;
}

/** Whether only a row's target has mass, and logits are summed as they are. */
const isPlain = ({ targets }: LinearLossArrays, { smoothing, softcap }: CrossEntropySettings): boolean =>
  targets !== undefined && !smoothing && !softcap;

/** Where there is a kernel for it: two numbers for each row of a tile, its maximum and what beside it the others sum to. */
export const sumsOf = (tile: Numbers, rows: number, classes: number, temperature: number): Float64Array | null =>
  (tile instanceof Float32Array && kernels.get(tile.buffer)?.sumRows(tile, rows, classes, temperature)) || null;

/** Adds row r of what sumsOf gives. @returns whether it did; without a sum, the row has to be looked at */
export function addSums(state: GrowingSum, sums: Float64Array, r: number, temperature: number): boolean {
  const [maximum, others] = [sums[2 * r], sums[2 * r + 1]];
  if (Number.isNaN(others)) return false;
  addLogit(state, maximum, temperature);
  state.rest += others * Math.exp((maximum - state.maximum) / temperature);
  return true;
}

/** The first class of a tile's row that has its maximum, where that is above all before. */
function addBest(state: RowState, maximum: number, tile: Numbers, start: number, first: number): void {
  if (maximum > state.best[0]) state.best = [maximum, first + tile.indexOf(maximum, start) - start];
}

/** Adds a logit to a row's sum, beside a maximum that may grow. */
export function addLogit(state: GrowingSum, x: number, temperature: number): void {
  if (state.kind === 'allMasked') state.kind = 'plain';
  if (x === Number.POSITIVE_INFINITY && state.kind !== 'nan') state.kind = 'infinite';
  if (x === state.maximum) state.ties++;
  else if (x < state.maximum) state.rest += Math.exp((x - state.maximum) / temperature);
  else {
    const step = (x - state.maximum) / temperature;
    state.rest = (state.ties + state.rest) * Math.exp(-step);
    if (state.mass !== 0 && Number.isFinite(step)) state.around += state.mass * step;
    state.ties = 1;
    state.maximum = x;
  }
}

function finishRows(
  { loss, targets, sampleWeights, upstream, correct, logSumExps }: LinearLossArrays,
  states: readonly RowState[],
  { ignoreIndex, temperature, zLoss }: CrossEntropySettings,
  { none, divisor }: Reducing,
): void {
  const losses = none ? loss : new Float64Array(states.length);
  for (const [r, state] of states.entries()) {
    const ignored = targets !== undefined && targets[r] === ignoreIndex;
    const weight = sampleWeights?.[r] ?? 1;
    const counts = weight !== 0 && !ignored;
    state.unknown ||= Number.isNaN(state.maskedMass);
    const undefinedRow = state.unknown || isUndefined(state);
    const sum = logSumExpOf(state, temperature);
    const own = state.maskedMass || state.mass * logTotal(state) + state.around + (zLoss && zLoss * sum * sum);
    losses[r] = counts ? weight * (undefinedRow ? Number.NaN : own) : 0;
    if (counts && divisor !== 0) state.scale = (weight / divisor) * (upstream?.[none ? r : 0] ?? 1);
    if (logSumExps) logSumExps[r] = sum;
    const wanted = targets ? targets[r] : state.wanted[1];
    if (correct) correct[r] = !undefinedRow && !ignored && state.best[1] === wanted ? 1 : 0;
  }
  if (!none) reduceRows(losses, loss, divisor);
}

/** Rows without derivatives are left out, whatever they hold. */
function* runsOf(states: readonly RowState[], tiles: Tiles): Generator<readonly [from: number, to: number]> {
  for (let from = 0, to = 0; from < states.length; from = ++to) {
    while (to < states.length && states[to].scale !== null) to++;
    yield* tiles.rowBlocks(from, to);
  }
}

function addGradients(
  arrays: LinearLossArrays,
  states: readonly RowState[],
  settings: CrossEntropySettings,
  tiles: Tiles,
): void {
  const { head, featuresGradient, weightGradients, biasGradient, targetGradient } = arrays;
  if (!featuresGradient && !biasGradient && !targetGradient && !weightGradients.some(Boolean)) return;
  targetGradient?.fill(0);
  const { depth, features, scales } = head;
  // Where the kernels make floats, they sum them in place.
  const sumsFor = (gradient: Values | undefined) =>
    gradient && (tiles.isFloat ? gradient.fill(0) : new Float64Array(gradient.length));
  const ofFeatures = sumsFor(featuresGradient);
  for (const block of tiles.classBlocks()) {
    const { some, at, first, weight } = block;
    const weightGradient = weightGradients[block.index]?.subarray(at * depth, (at + some) * depth);
    const ofWeight = sumsFor(weightGradient);
    const ofBias = new Float64Array(some);
    for (const [from, to] of runsOf(states, tiles)) {
      const rows = to - from;
      const tile = tiles.room(from, to, block);
      if (!tiles.kept) logitsOf(head, from, to, block, tile, true);
      toSlopes(arrays, states, settings, from, to, block, tile);
      if (biasGradient || scales) {
        for (let i = 0, c = 0; i < rows * some; i++, c = c + 1 < some ? c + 1 : 0) {
          ofBias[c] += tile[i];
          if (scales) tile[i] *= scales[first + c];
        }
      }
      const seen = features.subarray(from * depth, to * depth);
      if (ofWeight) addProduct(tile, true, seen, ofWeight, some, rows, depth);
      if (ofFeatures) {
        const sums = ofFeatures.subarray(from * depth, to * depth);
        addProduct(tile, false, weight.subarray(at * depth, (at + some) * depth), sums, rows, some, depth);
      }
    }
    if (ofWeight !== weightGradient) weightGradient?.set(ofWeight!);
    biasGradient?.set(ofBias, first);
  }
  if (ofFeatures !== featuresGradient) featuresGradient?.set(ofFeatures!);
}

/** Puts the derivatives by logits in their places. */
function toSlopes(
  arrays: LinearLossArrays,
  states: readonly RowState[],
  settings: CrossEntropySettings,
  from: number,
  to: number,
  { first, some }: ClassBlock,
  tile: Numbers,
): void {
  const { temperature, zLoss } = settings;
  const kernel = isPlain(arrays, settings) && tile instanceof Float32Array && kernels.get(tile.buffer);
  if (!kernel) {
    for (let r = from, i = 0; r < to; r++) {
      for (let c = first; c < first + some; c++, i++) {
        writeTargetGradient(arrays, settings, states[r], r, c, tile[i]);
        tile[i] = slopeOf(arrays, settings, states[r], r, c, tile[i]);
      }
    }
    return;
  }
  const pairs = kernel.pairs(to - from);
  const ofTargets: [at: number, slope: number][] = [];
  for (let r = from, start = 0; r < to; r++, start += some) {
    const state = states[r];
    const whole = (state.mass + 2 * zLoss * logSumExpOf(state, temperature)) * state.scale!;
    const undefinedRow = state.unknown || isUndefined(state);
    pairs[2 * (r - from)] = state.maximum;
    pairs[2 * (r - from) + 1] = undefinedRow ? Number.NaN : whole / (temperature * (state.ties + state.rest));
    const c = arrays.targets![r] - first;
    if (c < 0 || c >= some) continue;
    ofTargets.push([start + c, slopeOf(arrays, settings, state, r, first + c, tile[start + c])]);
  }
  kernel.scaledRows(tile as Float32Array, pairs, some, temperature);
  for (const [at, slope] of ofTargets) tile[at] = slope;
}

function writeTargetGradient(
  { head, classWeights, targetGradient }: LinearLossArrays,
  settings: CrossEntropySettings,
  state: RowState,
  r: number,
  c: number,
  logit: number,
): void {
  if (!targetGradient) return;
  const undefinedRow = state.unknown || isUndefined(state);
  const slope = undefinedRow ? Number.NaN : labelSlope(state, logit, classWeights?.[c] ?? 1, settings);
  targetGradient[r * head.classes + c] = slope * state.scale!;
}

/** The derivative of the objective by a logit. */
function slopeOf(
  arrays: LinearLossArrays,
  { smoothing, softcap, temperature, zLoss }: CrossEntropySettings,
  state: RowState,
  r: number,
  c: number,
  logit: number,
): number {
  if (state.unknown || isUndefined(state)) return Number.NaN;
  const own = ownOf(state, c, logit, temperature, softcap);
  const total = state.ties + state.rest;
  const p = own / total;
  const a = massAt(arrays, smoothing, r, c);
  const slope = p > 0.5 ? state.mass - a - state.mass * (othersOf(own, state) / total) : state.mass * p - a;
  const whole = (slope + 2 * zLoss * logSumExpOf(state, temperature) * p) / temperature;
  return whole * softcapSlope(logit, softcap) * state.scale!;
}
