// Weights to begin with: the means of the classes, scaled to fit.

import { gatherRows } from '../operations/gather-rows.js';
import { linear } from '../operations/linear.js';
import { linearGradient } from '../operations/linear-gradient.js';
import type { Tensor } from '../tensor.js';
import { chunkOf, type HeadParts, inChunks, type Resident } from './examples.js';
import { bestScale, softmaxCurve } from './newton.js';
import { orderOf } from './random.js';

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
  const identity = Float32Array.from({ length: classes ** 2 }, (_, i) => (i % (classes + 1) === 0 ? 1 : 0));
  using units = context.tensor(identity, [classes, classes]);
  const work = async ({ features, targets }: { features: Tensor; targets: Tensor | null }) => {
    const rows = features.shape[0];
    // A target that is no class leaves its row as it is: 0.
    using labels = context.tensor(new Float32Array(rows * classes), [rows, classes]);
    gatherRows(units, targets!, 0, labels);
    const by = linearGradient(features, labels, true);
    using weight = by.weight;
    using bias = by.bias!;
    const [some, few] = await Promise.all([weight.data(), bias.data()]);
    for (let i = 0; i < sums.length; i++) sums[i] += some[i];
    for (let c = 0; c < classes; c++) counts[c] += few[c];
  };
  await inChunks(head, resident, work, between);
  return { sums, counts };
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
  const least = Math.min(...biases);
  return { means, biases: biases.map((value, c) => (counts[c] ? value : least)) };
}

async function scaleOf(head: HeadParts, { features, targets }: Resident): Promise<number> {
  const { weight, bias } = head;
  const classes = weight.shape[0];
  const rows = Math.min(features.shape[0], chunkOf(head));
  using order = weight.context.tensor(orderOf(rows));
  using some = gatherRows(features, order, 0, rows);
  using known = gatherRows(targets, order, 0, rows);
  using logits = linear(some, weight, bias ? { bias } : {});
  const [values, indices] = await Promise.all([logits.data(), known.data()]);
  const kept = [...indices.keys()].filter((row) => indices[row] >= 0 && indices[row] < classes);
  const finite = kept.filter((row) => values.subarray(row * classes, (row + 1) * classes).every(Number.isFinite));
  if (finite.length === 0) return 1;
  const packed = new Float32Array(finite.length * classes);
  for (const [i, row] of finite.entries()) packed.set(values.subarray(row * classes, (row + 1) * classes), i * classes);
  return bestScale(
    softmaxCurve(
      packed,
      finite.map((row) => indices[row]),
      classes,
    ),
  );
}

function assign(tensor: Tensor, values: Float64Array): void {
  using source = tensor.context.tensor(Float32Array.from(values), tensor.shape);
  using order = tensor.context.tensor(orderOf(tensor.shape[0]));
  gatherRows(source, order, 0, tensor);
}
