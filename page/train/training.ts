// One training, from nothing to a head that is measured and calibrated. The only file of this view that computes.
import {
  adam,
  adamW,
  type Calibration,
  ClassificationHead,
  cosineSchedule,
  type Evaluation,
  type FitProgress,
  sgd,
} from '../../src/index.ts';
import { contextOf } from '../contexts.ts';
import { classes } from '../digits.ts';
import { depth } from '../features.ts';
import { LastingHead } from '../lasting-head.ts';
import type { Parts } from './parts.ts';
import type { Settings } from './settings.ts';

export interface Outcome {
  readonly head: LastingHead;
  /** Of the training alone, not of what is measured after it. */
  readonly seconds: number;
  /** On the test part, with the temperature 1. */
  readonly before: Evaluation;
  readonly calibration: Calibration;
  /** On the test part, with the temperature of the calibration. */
  readonly after: Evaluation;
}

const makeOptimizer = {
  adamW: (learningRate: number) => adamW({ learningRate }),
  adam: (learningRate: number) => adam({ learningRate }),
  sgd: (learningRate: number) => sgd({ learningRate, momentum: 0.9 }),
};

export async function train(
  { training, validation, test }: Parts,
  { epochs, batch, optimizer: name, rate, backend }: Settings,
  { signal, onProgress }: { signal: AbortSignal; onProgress(progress: FitProgress): void },
): Promise<Outcome> {
  const context = await contextOf(backend);
  signal.throwIfAborted();
  const head = ClassificationHead.create(context, { features: depth, classes, recover: true });
  const optimizer = makeOptimizer[name](rate);
  try {
    const begun = performance.now();
    const options = { epochs, batchSize: batch, optimizer, schedule: cosineSchedule(), validation, signal, onProgress };
    await head.fit(training.features, training.targets, options);
    const seconds = (performance.now() - begun) / 1000;
    const before = await head.evaluate(test.features, test.targets);
    const calibration = await head.calibrate(validation.features, validation.targets);
    const after = await head.evaluate(test.features, test.targets);
    signal.throwIfAborted();
    return { head: await LastingHead.of(head, context), seconds, before, calibration, after };
  } catch (error) {
    head.dispose();
    throw error;
  } finally {
    optimizer.dispose();
  }
}
