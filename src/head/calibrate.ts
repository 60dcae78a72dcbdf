// The temperature of a head, and the score below which a row is of none of its classes; both fitted to rows that it was not trained on.

import { linear } from '../operations/linear.js';
import { sigmoid } from '../operations/sigmoid.js';
import { softmax } from '../operations/softmax.js';
import { Tensor } from '../tensor.js';
import { type Examples, type HeadParts, inChunks, Resident } from './examples.js';
import type { Input } from './inputs.js';
import { addSigmoid, addSoftmax, type Block, bestScale, Sums } from './newton.js';
import { type Rejection, surenessOf } from './rejection.js';
import { scoped, slicer } from './scope.js';

/** What calibration came to: mean losses at the temperature before it and at the one that it found. */
export interface Calibration {
  readonly temperature: number;
  readonly before: number;
  readonly after: number;
}

/**
 * @param most logits that are kept on the host, 256 MiB of them; of more, they are made again, a chunk at a time, for each step of Newton's
 * @throws RangeError where no row counts
 */
export async function calibrated(
  fn: string,
  head: HeadParts,
  examples: Examples,
  most: number = 2 ** 26,
): Promise<Calibration> {
  const classes = head.labels.length;
  const each = head.activation === 'sigmoid';
  const resident = new Resident(head.weight.context, examples);
  const keeps = examples.count * classes <= most;
  const blocks: Block[] = [];
  let all = false; // of the blocks are kept
  const inBlocks = async (look: (block: Block) => void) => {
    if (all) return blocks.forEach(look);
    const work = async ({ features, targets }: { features: Tensor; targets: Tensor | null }) => {
      const block = await blockOf(head, features, targets!, examples.soft || each);
      if (keeps) blocks.push(block);
      look(block);
    };
    await inChunks(head, resident, work, slicer());
    all = keeps;
  };
  const curve = async (scale: number) => {
    const sums = new Sums();
    await inBlocks((block) => (each ? addSigmoid : addSoftmax)(sums, block, classes, scale));
    if (sums.count === 0) throw new RangeError(`${fn}: no row has a loss to be made smaller`);
    return sums;
  };
  const lossAt = async (scale: number) => {
    const { loss, count } = await curve(scale);
    return loss / count;
  };
  try {
    const scale = await bestScale(curve);
    return { temperature: 1 / scale, before: await lossAt(1 / head.temperature), after: await lossAt(scale) };
  } finally {
    resident.dispose();
  }
}

/** Rows that no temperature helps are left out: without an answer, ignored, or of a class that is masked. */
function blockOf(head: HeadParts, features: Tensor, targets: Tensor, allFinite: boolean): Promise<Block> {
  const classes = head.labels.length;
  return scoped(async (keep) => {
    const some = keep(linear(features, head.weight, head.bias ? { bias: head.bias } : {}));
    const [logits, wanted] = await Promise.all([some.data(), targets.data()]);
    const rows = Array.from({ length: logits.length / classes }, (_, row) => row).filter((row) => {
      const own = logits.subarray(row * classes, (row + 1) * classes);
      if (allFinite) return own.every(Number.isFinite);
      return own.every((x) => x < Number.POSITIVE_INFINITY) && Number.isFinite(own[wanted[row]]);
    });
    return { logits, targets: wanted, rows };
  });
}

/** The score below which no more than a share of 1 - keep of these rows lie. */
export async function fittedRejection(
  fn: string,
  head: HeadParts,
  features: Input,
  keep: number,
  by: Rejection['score'],
): Promise<Rejection> {
  const { temperature, activation } = head;
  const given = features instanceof Tensor ? null : features;
  const own = given && head.weight.context.tensor(given.values, given.shape, { dtype: given.dtype });
  const sure = new Float64Array(features.shape[0]);
  const work = ({ features: some }: { features: Tensor }, first: number) =>
    scoped(async (kept) => {
      const logits = kept(linear(some, head.weight, head.bias ? { bias: head.bias } : {}));
      const activate = activation === 'sigmoid' ? sigmoid : softmax;
      const scores = by === 'energy' ? null : kept(activate(logits, { temperature }));
      const values = await kept(surenessOf(logits, scores, by, temperature)).data();
      sure.set(by === 'energy' ? Float64Array.from(values, (value) => value * temperature) : values, first);
    });
  try {
    await inChunks(head, { features: own ?? (features as Tensor) }, work, slicer());
  } finally {
    own?.dispose();
  }
  const sorted = sure.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) throw new RangeError(`${fn}: no row has a score`);
  return { score: by, below: sorted[Math.floor((1 - keep) * sorted.length + 1e-9)] ?? sorted[sorted.length - 1] };
}
