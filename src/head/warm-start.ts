// Weights to begin with: the means of the classes, scaled to fit.

import type { Values } from '../backend.js';
import { gatherRows } from '../operations/gather-rows.js';
import { linearGradient } from '../operations/linear-gradient.js';
import type { Tensor } from '../tensor.js';
import { chunkOf, type HeadParts, inChunks, type Resident } from './examples.js';
import { logitsOf } from './logits.js';
import { bestScale, packRows, softmaxCurve } from './newton.js';
import { orderOf } from './random.js';
import { scoped } from './scope.js';

/**
 * The nearest mean as a linear head: weight m_c, bias -|m_c|^2 / 2, the means being taken from the mean of all; both times the scale
 * that fits the first rows best. A class without rows gets the weight 0 and the least bias.
 */
export async function warmStart(head: HeadParts, resident: Resident, between: () => Promise<void>): Promise<void> {
  const { weight, bias } = head;
  const [classes, depth] = weight.shape;
  if (resident.targets.shape.length !== 1) throw new TypeError('fit: "warmStart" needs class indices');
  const { means, biases } = centred(await sumsOf(head, resident, between), classes, depth);
  assign(weight, means);
  if (bias) assign(bias, biases);
  const scale = await scaleOf(head, resident);
  assign(
    weight,
    means.map((value) => value * scale),
  );
  if (bias)
    assign(
      bias,
      biases.map((value) => value * scale),
    );
}

/** Of each class: the sum of its rows, and how many they are. */
async function sumsOf(head: HeadParts, resident: Resident, between: () => Promise<void>) {
  const [classes, depth] = head.weight.shape;
  const { context } = head.weight;
  const sums = new Float64Array(classes * depth);
  const counts = new Float64Array(classes);
  const work = ({ features, targets }: { features: Tensor; targets: Tensor | null }) =>
    scoped(async (own) => {
      const labels = own(context.tensor(oneHot(await targets!.data(), classes), [features.shape[0], classes]));
      const { weight, bias } = linearGradient(features, labels, true);
      const [some, few] = await Promise.all([own(weight).data(), own(bias!).data()]);
      for (let i = 0; i < sums.length; i++) sums[i] += some[i];
      for (let c = 0; c < classes; c++) counts[c] += few[c];
    });
  await inChunks(head, resident, work, between);
  return { sums, counts };
}

/** A row of a target that is no class is 0. */
function oneHot(targets: Values, classes: number): Float32Array {
  const labels = new Float32Array(targets.length * classes);
  for (const [row, target] of targets.entries())
    if (target >= 0 && target < classes) labels[row * classes + target] = 1;
  return labels;
}

function centred({ sums, counts }: Awaited<ReturnType<typeof sumsOf>>, classes: number, depth: number) {
  const present = Math.max(1, counts.filter((some) => some > 0).length);
  const means = sums.map((sum, i) => sum / Math.max(1, counts[Math.floor(i / depth)]));
  const middle = new Float64Array(depth);
  means.forEach((mean, i) => {
    middle[i % depth] += mean / present; // classes without rows are 0
  });
  const biases = new Float64Array(classes);
  for (let i = 0; i < means.length; i++) {
    const c = Math.floor(i / depth);
    means[i] = counts[c] ? means[i] - middle[i % depth] : 0;
    biases[c] -= (means[i] * (means[i] + 2 * middle[i % depth])) / 2;
  }
  const least = biases.reduce((a, b) => Math.min(a, b));
  return { means, biases: biases.map((value, c) => (counts[c] ? value : least)) };
}

function scaleOf(head: HeadParts, { features, targets }: Resident): Promise<number> {
  const [classes] = head.weight.shape;
  const rows = Math.min(features.shape[0], chunkOf(head));
  return scoped(async (keep) => {
    const order = keep(head.weight.context.tensor(orderOf(rows)));
    const some = keep(gatherRows(features, order, 0, rows));
    const labels = keep(gatherRows(targets, order, 0, rows));
    const logits = keep(logitsOf(head, some));
    const [values, indices] = await Promise.all([logits.data(), labels.data()]);
    const of = (row: number) => values.subarray(row * classes, (row + 1) * classes);
    const counts = (row: number) => indices[row] >= 0 && indices[row] < classes && of(row).every(Number.isFinite);
    const kept = Array.from(indices, (_, row) => row).filter(counts);
    if (kept.length === 0) return 1;
    const known = kept.map((row) => indices[row]);
    return bestScale(softmaxCurve(packRows(values, kept, classes), known, classes));
  });
}

function assign(tensor: Tensor, values: Float64Array): void {
  scoped((keep) => {
    const source = keep(tensor.context.tensor(Float32Array.from(values), tensor.shape));
    gatherRows(source, keep(tensor.context.tensor(orderOf(tensor.shape[0]))), 0, tensor);
  });
}
