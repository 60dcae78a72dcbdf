// Twin of shaders/cross_entropy.wgsl.

import type { Values } from '../backend.js';
import type { Rows } from '../rows.js';
import { kernels } from './kernels.js';
import { noAnswer, type Reducing, type RowLossArrays, type RowTerms, rowLosses } from './row-loss.js';
import { isUndefined, logSumExpOf, logTotal, othersOf, ownOf, type RowSum, rowShares } from './row-sum.js';
import { softcapped, softcapSlope } from './softcap.js';

export interface CrossEntropyArrays extends RowLossArrays {
  readonly logits: Values;
  readonly targets?: Values; // (rows)
  readonly labels?: Values; // as the logits, in place of targets
  readonly classWeights?: Values; // (classes)
  readonly targetGradient?: Values; // as the labels
  readonly correct?: Values; // (rows)
  readonly logSumExps?: Values; // (rows)
}

export interface CrossEntropySettings {
  readonly ignoreIndex: number | null;
  readonly smoothing: number;
  readonly zLoss: number;
  readonly softcap: number; // 0: none
  readonly temperature: number;
}

/** Where a row lies: its number, first element, and its target or null. */
interface Place {
  readonly r: number;
  readonly start: number;
  readonly target: number | null;
}

export function crossEntropyRows(
  arrays: CrossEntropyArrays,
  rows: Rows,
  settings: CrossEntropySettings,
  reducing: Reducing,
): void {
  if (kernels.get(arrays.logits.buffer)?.crossEntropyRows(arrays, rows, settings, reducing)) return;
  const { logits, targets } = arrays;
  const { ignoreIndex, temperature, softcap } = settings;
  rowLosses(arrays, rows, reducing, (r, start, scale) => {
    const place: Place = { r, start, target: targets ? targets[r] : null };
    const row = rowShares(logits, start, rows.inner, rows.classes, temperature, softcap);
    const ignored = targets !== undefined && place.target === ignoreIndex;
    const terms = termsOf(arrays, rows, settings, place, row);
    writeMetrics(arrays, rows, place, row, ignored || Number.isNaN(terms.loss), temperature);
    writeTargetGradient(arrays, rows, settings, place, row, terms.loss, scale);
    return ignored ? null : terms;
  });
}

/** a_c: class weight x ((1 - smoothing) label + smoothing / classes); 0 whatever a class weighs that nothing is of. */
export function massOf(label: number, classWeight: number, smoothing: number, classes: number): number {
  const q = label * (1 - smoothing) + smoothing / classes;
  return q && classWeight * q;
}

function termsOf(
  arrays: CrossEntropyArrays,
  rows: Rows,
  settings: CrossEntropySettings,
  place: Place,
  row: RowSum,
): RowTerms {
  const { smoothing, zLoss, softcap, temperature } = settings;
  const known = place.target === null || (place.target >= 0 && place.target < rows.classes);
  if (!known || isUndefined(row)) return noAnswer;
  // Out of `arrays`, which has another shape for each set of options: a load from it for each class took a third of the time.
  const { logits, labels, classWeights } = arrays;
  const { classes } = rows;
  const { target } = place;
  const massAt = (c: number, i: number) =>
    massOf(labels ? labels[i] : c === target ? 1 : 0, classWeights ? classWeights[c] : 1, smoothing, classes);
  let mass = 0;
  let around = 0; // sum of a_c times the distance to the maximum
  // An index without smoothing has all its mass on one class.
  const [first, last] = labels || smoothing ? [0, classes] : [place.target!, place.target! + 1];
  for (let c = first; c < last; c++) {
    const i = place.start + c * rows.inner;
    const a = massAt(c, i);
    if (!Number.isFinite(a)) mass = Number.NaN;
    if (a === 0) continue; // 0 on a masked class adds 0
    mass += a;
    const distance = (row.maximum - softcapped(logits[i], softcap)) / temperature;
    around += a * distance;
  }
  const sum = logSumExpOf(row, temperature);
  const total = row.ties + row.rest;
  const loss = mass * logTotal(row) + around + (zLoss && zLoss * sum * sum);
  if (Number.isNaN(loss)) return noAnswer;
  return {
    loss,
    derivative: (c, i) => {
      const own = ownOf(row, c, logits[i], temperature, softcap);
      const p = own / total;
      const a = massAt(c, i);
      // Where p is near 1, mass p - a would leave no digits of a confident row.
      const slope = p > 0.5 ? mass - a - mass * (othersOf(own, row) / total) : mass * p - a;
      return ((slope + 2 * zLoss * sum * p) / temperature) * softcapSlope(logits[i], softcap);
    },
  };
}

function writeMetrics(
  { logits, labels, correct, logSumExps }: CrossEntropyArrays,
  { classes, inner }: Rows,
  { r, start, target }: Place,
  row: RowSum,
  never: boolean,
  temperature: number,
): void {
  if (logSumExps) logSumExps[r] = logSumExpOf(row, temperature);
  if (!correct) return;
  const argmax = (values: Values) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (values[start + c * inner] > values[start + best * inner]) best = c;
    return best;
  };
  correct[r] = !never && argmax(logits) === (labels ? argmax(labels) : target) ? 1 : 0;
}

function writeTargetGradient(
  { logits, classWeights, targetGradient }: CrossEntropyArrays,
  { classes, inner }: Rows,
  settings: CrossEntropySettings,
  { start }: Place,
  row: RowSum,
  loss: number,
  scale: number | null,
): void {
  if (!targetGradient) return;
  for (let c = 0; c < classes; c++) {
    const i = start + c * inner;
    const slope = Number.isNaN(loss) ? Number.NaN : labelSlope(row, logits[i], classWeights?.[c] ?? 1, settings);
    targetGradient[i] = scale === null ? 0 : slope * scale;
  }
}

/** The derivative by a label, given its logit: class weight x (1 - smoothing) x -log p. */
export function labelSlope(
  row: RowSum,
  logit: number,
  classWeight: number,
  { smoothing, softcap, temperature }: CrossEntropySettings,
): number {
  const weight = classWeight * (1 - smoothing);
  const surprise = (row.maximum - softcapped(logit, softcap)) / temperature + logTotal(row);
  return weight === 0 ? 0 : weight * surprise;
}
