// In the page: how far each contender is from float64, on the inputs of test/accuracy.test.ts.
import { errorOf, type Worst, worst, worstByRow } from '../../test/support/close.ts';
import { accuracySizes, type Distribution, distributions, makeRows } from '../../test/support/random.ts';
import * as reference from '../../test/support/reference.ts';
import { type Answers, type Contender, contenders, NotRun } from '../peers/contenders.ts';

/** The worst error of a result, also as a ratio to what crosshead promises, or what stands where it should be finite: NaN. */
type Figure = { error: number; ratio: number } | { wrong: string };

export interface Case {
  distribution: Distribution;
  rows: number;
  classes: number;
  figures?: Record<'loss' | 'gradient' | 'target' | 'softmax', Figure>;
  failed?: { wrong: 'failed' | 'not run'; message: string };
}

const figure = ({ relative, got }: Worst, promise: number): Figure =>
  Number.isFinite(relative) ? { error: relative, ratio: relative / promise } : { wrong: String(got) };

/** In units of 2^-23 of each probability. */
function softmaxFigure(got: Float32Array, expected: Float64Array, classes: number): Figure {
  const worst = { error: 0, ratio: 0 };
  for (const [i, p] of expected.entries()) {
    const error = errorOf(got[i], p) / (p * 2 ** -23);
    if (!Number.isFinite(error)) return { wrong: String(got[i]) };
    if (p < 2 ** -125) continue; // may be flushed to 0
    const promise = 4 + Math.abs(Math.log(p)) / 2 + Math.log2(classes) / 2;
    worst.error = Math.max(worst.error, error);
    worst.ratio = Math.max(worst.ratio, error / promise);
  }
  return worst;
}

function compare(got: Answers, logits: Float32Array, shape: [number, number], targets: Int32Array): Case['figures'] {
  const [, classes] = shape;
  const { loss, gradient } = reference.crossEntropy(logits, shape, targets, { reduction: 'none' });
  const ofTargets = (values: ArrayLike<number>) => Array.from(targets, (target, row) => values[row * classes + target]);
  return {
    loss: figure(worst(got.loss, loss), 2e-6),
    gradient: figure(worstByRow(got.gradient, gradient, classes), 5e-6),
    target: figure(worst(ofTargets(got.gradient), ofTargets(gradient)), 2e-6),
    softmax: softmaxFigure(got.softmax, reference.softmax(logits, shape), classes),
  };
}

async function measureCase({ run }: Contender, distribution: Distribution, shape: [number, number]): Promise<Case> {
  const [rows, classes] = shape;
  const { logits, targets } = makeRows(distribution, rows, classes, classes);
  try {
    const got = await run(logits.slice(), shape, targets.slice());
    return { distribution, rows, classes, figures: compare(got, logits, shape, targets) };
  } catch (error) {
    const wrong = error instanceof NotRun ? 'not run' : 'failed';
    const message = error instanceof Error ? error.message : String(error);
    return { distribution, rows, classes, failed: { wrong, message } };
  }
}

async function measure(name: string): Promise<Case[]> {
  const contender = contenders.find((one) => one.name === name)!;
  const cases: Case[] = [];
  for (const distribution of Object.keys(distributions) as Distribution[])
    for (const shape of accuracySizes) cases.push(await measureCase(contender, distribution, shape));
  return cases;
}

async function adapter(): Promise<string> {
  const info = (await navigator.gpu?.requestAdapter())?.info;
  return info ? `${info.vendor} ${info.architecture || info.device}`.trim() : 'none';
}

/** What run.mjs calls. */
export const accuracy = { names: contenders.map(({ name }) => name), adapter, measure };
Object.assign(globalThis, { accuracy });
