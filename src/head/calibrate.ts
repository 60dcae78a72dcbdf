// The temperature of a head, and the score below which a row is of none of its classes; both fitted to rows that it was not trained on.

import type { Values } from '../backend.js';
import { Tensor } from '../tensor.js';
import { choice, knownOptions, share } from '../validate.js';
import { examplesOf, type HeadParts, inChunks, Resident, rowsOfFeatures } from './examples.js';
import { logitsOf, scoresOf } from './logits.js';
import { bestScale, type Curve, mostScale, packRows, sigmoidCurve, softmaxCurve } from './newton.js';
import { type Rejection, rejectionOf, surenessOf } from './rejection.js';
import { scoped, slicer } from './scope.js';

/** What calibration came to: mean losses at the temperature before it and at the one that it found. */
export interface Calibration {
  /** What was found, and `head.temperature` now is. */
  readonly temperature: number;
  /** The mean loss at the temperature that the head had, in nats. */
  readonly before: number;
  /** The mean loss at the temperature that was found, in nats. */
  readonly after: number;
}

/** Numbers of all logits up to which they are kept from one look to the next; more are made again for each. */
const mostHeld = 2 ** 24;

/** Some rows that count. */
interface Piece {
  readonly curve: Curve;
  readonly rows: number;
}

/** @throws RangeError where no row counts; TypeError for targets of the other activation */
export async function calibrate(
  head: HeadParts,
  features: unknown,
  targets: unknown,
  most = mostHeld,
): Promise<Calibration> {
  const fn = 'calibrate';
  const examples = examplesOf(fn, head, features, targets);
  if (examples.soft !== (head.activation === 'sigmoid')) {
    const what = examples.soft ? 'class indices' : 'a number a class';
    throw new TypeError(`${fn}: "targets" of a ${head.activation} head must be ${what}`);
  }
  const resident = new Resident(head.weight.context, examples);
  const holds = examples.count * head.labels.length <= most;
  let held: Piece[] = [];
  const curve = async (scale: number, doubt = 0) => {
    let [rows, loss, slope, curvature] = [0, 0, 0, 0];
    const look = (piece: Piece) => {
      const own = piece.curve(scale, doubt);
      rows += piece.rows;
      loss += own.loss * piece.rows;
      slope += own.slope * piece.rows;
      curvature += own.curvature * piece.rows;
    };
    if (held.length) held.forEach(look);
    else {
      const pieces: Piece[] = [];
      await eachPiece(head, resident, (piece) => {
        look(piece);
        if (holds) pieces.push(piece);
      });
      held = pieces;
    }
    if (rows === 0) throw new RangeError(`${fn}: no row has a loss to be made smaller`);
    return { rows, loss: loss / rows, slope: slope / rows, curvature: curvature / rows };
  };
  try {
    const current = 1 / head.temperature;
    const { loss: before, rows } = await curve(current);
    let scale = await bestScale(curve, current);
    // Rows that are all right would have the head as sure as can be. One wrong answer is added to them (Platt 1999, Probabilistic outputs).
    if (scale === mostScale) scale = await bestScale((some) => curve(some, 1 / (rows + 2)), current);
    return { temperature: scale === current ? head.temperature : 1 / scale, before, after: (await curve(scale)).loss };
  } finally {
    resident.dispose();
  }
}

/** Makes the logits a chunk at a time, so that no more than a chunk's are read back at once. */
function eachPiece(head: HeadParts, resident: Resident, look: (piece: Piece) => void): Promise<void> {
  const classes = head.labels.length;
  const each = head.activation === 'sigmoid';
  const work = (batch: { features: Tensor; targets: Tensor | null }) =>
    scoped(async (keep) => {
      const logits = keep(logitsOf(head, batch.features));
      const [values, targets] = await Promise.all([logits.data(), batch.targets!.data()]);
      const kept = keptRows(values, targets, classes, each);
      if (kept.length === 0) return;
      const pack = (of: Values) => packRows(of, kept, classes);
      const indices = () => kept.map((row) => targets[row]);
      const curve = each ? sigmoidCurve(pack(values), pack(targets)) : softmaxCurve(pack(values), indices(), classes);
      look({ curve, rows: kept.length });
    });
  return inChunks(head, resident, work, slicer());
}

/** Rows that no temperature helps are left out: without an answer, ignored, or with an infinite loss. */
function keptRows(logits: Values, targets: Values, classes: number, each: boolean): number[] {
  const rows = Array.from({ length: logits.length / classes }, (_, row) => row);
  return rows.filter((row) => {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const sure = (x: number, c: number) =>
      x === (targets[row * classes + c] ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
    if (each) return own.every((x, c) => Number.isFinite(x) || sure(x, c));
    return own.every((x) => x < Number.POSITIVE_INFINITY) && Number.isFinite(own[targets[row]]);
  });
}

/** The score below which no more than a share of 1 - keep of these rows lie. */
export async function fitRejection(
  head: HeadParts,
  given: unknown,
  options: { keep?: number; score?: Rejection['score'] },
): Promise<Rejection> {
  const fn = 'fitRejection';
  knownOptions(fn, options, ['keep', 'score']);
  const { temperature, activation } = head;
  const keep = share(fn, 'keep', options.keep, 0.95);
  const fallback = activation === 'sigmoid' ? 'probability' : 'energy';
  const by = choice(fn, 'score', options.score, ['energy', 'probability'], fallback);
  rejectionOf(fn, { score: by, below: 0 }, activation); // refuses before anything is made
  const features = rowsOfFeatures(fn, head, given);
  const host = features instanceof Tensor ? null : features;
  const own = host && head.weight.context.tensor(host.values, host.shape, { dtype: host.dtype });
  const sure = new Float64Array(features.shape[0]);
  const work = ({ features: some }: { features: Tensor }, first: number) =>
    scoped(async (kept) => {
      const logits = kept(logitsOf(head, some));
      const scores = by === 'energy' ? null : kept(scoresOf(head, logits));
      const values = await kept(surenessOf(logits, scores, by, temperature)).data();
      sure.set(by === 'energy' ? Float64Array.from(values, (value) => value * temperature) : values, first);
    });
  try {
    await inChunks(head, { features: own ?? (features as Tensor) }, work, slicer());
  } finally {
    own?.dispose();
  }
  const sorted = sure.filter(Number.isFinite).sort();
  if (sorted.length === 0) throw new RangeError(`${fn}: no row has a score`);
  return { score: by, below: sorted[Math.floor((1 - keep) * sorted.length + 1e-9)] ?? sorted[sorted.length - 1] };
}
