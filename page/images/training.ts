// A head for the pictures of some classes: trained, calibrated, and told when to say that it does not know. Computes, and shows nothing.
import { adamW, ClassificationHead, cosineSchedule, type FitProgress, type Rejection } from '../../src/index.ts';
import { contextOf } from '../contexts.ts';
import { LastingHead } from '../lasting-head.ts';
import { depth } from './extractor.ts';

/** How often it says "unknown": the share of the pictures kept out that still gets an answer. */
export const strictness = { never: null, rarely: 1, sometimes: 0.95, often: 0.8 } as const;
export type Strictness = keyof typeof strictness;

export interface Named {
  readonly name: string;
  readonly pictures: readonly { readonly features: Float32Array }[];
}

export interface Trained {
  readonly head: LastingHead;
  readonly seconds: number;
  readonly learntFrom: number;
  /** Of the pictures kept out, how many were read right; null where there were too few to keep any out. */
  readonly kept: { readonly right: number; readonly count: number } | null;
  /** By how often it says "unknown"; null where no picture was kept out. */
  readonly rejections: Readonly<Record<Strictness, Rejection | null>> | null;
}

interface Examples {
  readonly features: Float32Array;
  readonly targets: number[];
}

/** One picture of so many is kept out, where every class has as many. */
const keptOut = 4;
const epochs = 60;

/** @throws (rejects with) `signal.reason` after an abort */
export async function trainOn(
  classes: readonly Named[],
  { signal, onProgress }: { signal: AbortSignal; onProgress(progress: FitProgress): void },
): Promise<Trained> {
  const enough = classes.every(({ pictures }) => pictures.length >= keptOut);
  const isKept = (i: number) => enough && i % keptOut === keptOut - 1;
  const training = examplesOf(classes, (i) => !isKept(i));
  const validation = enough ? examplesOf(classes, isKept) : undefined;
  const context = await contextOf('auto');
  signal.throwIfAborted();
  const labels = classes.map(({ name }) => name);
  const head = ClassificationHead.create(context, { features: depth, labels, recover: true });
  const optimizer = adamW({ learningRate: 0.03 });
  // Smoothing keeps the logits of few pictures from growing without end: they tell the known from the unknown.
  const lossOptions = { labelSmoothing: 0.1 };
  const options = { epochs, batchSize: 16, optimizer, lossOptions, schedule: cosineSchedule(), signal, onProgress };
  try {
    const begun = performance.now();
    await head.fit(training.features, training.targets, validation ? { ...options, validation } : options);
    const seconds = (performance.now() - begun) / 1000;
    const kept = validation ? await measure(head, validation) : null;
    if (validation) await head.calibrate(validation.features, validation.targets);
    const rejections = validation ? await fitRejections(head, validation.features) : null;
    head.rejection = rejections?.sometimes ?? null;
    signal.throwIfAborted();
    const lasting = await LastingHead.of(head, context);
    return { head: lasting, seconds, learntFrom: training.targets.length, kept, rejections };
  } catch (error) {
    head.dispose();
    throw error;
  } finally {
    optimizer.dispose();
  }
}

function examplesOf(classes: readonly Named[], wanted: (i: number) => boolean): Examples {
  const rows = classes.flatMap(({ pictures }, target) =>
    pictures.filter((_, i) => wanted(i)).map(({ features }) => ({ features, target })),
  );
  const features = new Float32Array(rows.length * depth);
  rows.forEach((row, i) => {
    features.set(row.features, i * depth);
  });
  return { features, targets: rows.map(({ target }) => target) };
}

async function measure(head: ClassificationHead, { features, targets }: Examples) {
  const answers = await head.predict(features, { topK: 1 });
  return { right: answers.filter(([best], i) => best.index === targets[i]).length, count: targets.length };
}

async function fitRejections(head: ClassificationHead, features: Float32Array) {
  // By the best score, and not by the energy: on the drawn shapes it lost fewer of the known for as many of the unknown.
  const keeping = (share: number) => head.fitRejection(features, { keep: share, score: 'probability' });
  return {
    never: null,
    rarely: await keeping(strictness.rarely),
    sometimes: await keeping(strictness.sometimes),
    often: await keeping(strictness.often),
  };
}
