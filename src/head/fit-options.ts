// What a training is told, checked, and what it tells.

import { fromNumbers } from '../numbers.js';
import type { Optimizer } from '../operations/optimizer.js';
import type { Schedule } from '../operations/schedules.js';
import { choice, count, flag, knownOptions, number, positive, shown } from '../validate.js';
import type { ExampleTargets, Features, HeadParts } from './examples.js';
import { type LossFunction, type LossName, type Objective, objectiveOf } from './objective.js';

/** How far a training is. Numbers are of the epoch so far. */
export interface FitProgress {
  /** From 1. */
  readonly epoch: number;
  /** Epochs in all. */
  readonly epochs: number;
  /** Steps taken, of all epochs. */
  readonly step: number;
  /** Steps in all. */
  readonly steps: number;
  /** The mean loss, each before its step was taken. */
  readonly loss: number;
  /** The share of right answers; of all classes' answers where each class is on its own. */
  readonly accuracy: number;
  /** Rows trained on, a second, since the training began. */
  readonly rowsPerSecond: number;
  /** How long the rest will take at that speed. */
  readonly secondsLeft: number;
  /** At the end of an epoch, where there is validation. */
  readonly validationLoss?: number;
  /** The same of the share of right answers. */
  readonly validationAccuracy?: number;
  /** Said once after a device was lost: where the training goes on. Some steps are then taken again. */
  readonly recovered?: string;
}

/** One epoch of a training. Training numbers are means over its steps, each before its step was taken. */
export interface EpochRecord {
  /** The mean loss of the training rows. */
  readonly loss: number;
  /** The share of right answers; of all classes' answers where each class is on its own. */
  readonly accuracy: number;
  /** The mean loss of the validation rows after the epoch; with `validation`. */
  readonly validationLoss?: number;
  /** The share of right answers among the validation rows after the epoch; with `validation`. */
  readonly validationAccuracy?: number;
}

/** What a training came to. */
export interface History {
  /** One record an epoch that was finished. */
  readonly epochs: EpochRecord[];
  /** With early stopping: the epoch, from 1, whose weights the head has; 0 where none was better than nothing. */
  readonly bestEpoch?: number;
  /** Whether early stopping ended it. */
  readonly stoppedEarly: boolean;
}

/** How a head is to be trained. */
export interface FitOptions {
  /** Times that all rows are seen; 10 by default. */
  epochs?: number;
  /** Rows a step; 32 by default. The last batch of an epoch may be shorter. */
  batchSize?: number;
  /** `adam({ learningRate: 0.01 })` by default. One that is given keeps its state for the next call, until it is disposed of. */
  optimizer?: Optimizer;
  /** 'crossEntropy' for softmax heads, 'binaryCrossEntropy' for sigmoid heads, 'distillation', or a function of logits and targets. */
  loss?: LossName | LossFunction;
  /** Of the loss: labelSmoothing, ignoreIndex, zLoss, softcap, temperature; posWeight; temperature (2) of distillation. */
  lossOptions?: Readonly<Record<string, unknown>>;
  /** One number a class, or 'balanced' for rows / (classes x rows of the class); of crossEntropy with class indices in an array. */
  classWeights?: 'balanced' | ArrayLike<number>;
  /** Times the optimizer's learning rate at each step. */
  schedule?: Schedule;
  /** The most that the norm of all gradients may be. */
  clipNorm?: number;
  /** Looked at after each epoch. */
  validation?: { features: Features; targets: ExampleTargets };
  /** Stops after `patience` epochs in which validation `monitor` ('loss', or 'accuracy') was no better by more than `minDelta` (0); the best weights are restored. */
  earlyStopping?: { patience: number; minDelta?: number; monitor?: 'loss' | 'accuracy' };
  /** Whether to begin with the means of the classes, in place of the head's weights. Needs class indices. */
  warmStart?: boolean;
  /** Whether to go on, on a new device or the CPU, when the device is lost; true by default. Needs examples given as arrays. */
  recover?: boolean;
  /** Told several times a second at the most, and at the end of each epoch at least. */
  onProgress?: (progress: FitProgress) => void;
  /** Aborting rejects with `signal.reason`; the head keeps the steps it took. */
  signal?: AbortSignal;
  /** Of the order of the rows; 0 by default. The same seed gives the same training. */
  seed?: number;
}

/** The options, checked. */
export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly objective: Objective;
  readonly schedule: Schedule;
  readonly clipNorm: number;
  readonly stopping: { patience: number; minDelta: number; monitor: 'loss' | 'accuracy' } | null;
  readonly seed: number;
}

export const fn = 'fit';

export function settingsOf(head: HeadParts, targets: unknown, options: FitOptions): Settings {
  knownOptions(fn, options, [
    ...[
      'epochs',
      'batchSize',
      'optimizer',
      'loss',
      'lossOptions',
      'classWeights',
      'schedule',
      'clipNorm',
      'validation',
    ],
    ...['earlyStopping', 'warmStart', 'recover', 'onProgress', 'signal', 'seed'],
  ]);
  for (const tensor of [head.weight, head.bias]) {
    if (tensor && tensor.dtype !== 'float32')
      throw new TypeError(`${fn}: a head must be float32 to be trained, this one is ${tensor.dtype}`);
  }
  const expect = (name: keyof FitOptions, expected: string, holds: (value: never) => boolean) => {
    const value = options[name];
    if (value !== undefined && !holds(value as never))
      throw new TypeError(`${fn}: "${name}" must be ${expected}, got ${shown(value)}`);
  };
  const callable = (value: unknown) => typeof value === 'function';
  expect('optimizer', 'an optimizer such as adam({ learningRate: 0.01 })', (v: Optimizer) => callable(v?.step));
  expect('schedule', 'a function of step and steps', callable);
  expect('onProgress', 'a function', callable);
  expect('signal', 'an AbortSignal', (v) => (v as unknown) instanceof AbortSignal);
  for (const name of ['warmStart', 'recover'] as const) flag(fn, name, options[name]);
  const { earlyStopping } = options;
  if (earlyStopping !== undefined) {
    knownOptions(`${fn}: "earlyStopping"`, earlyStopping, ['patience', 'minDelta', 'monitor']);
    if (earlyStopping.patience === undefined) throw new TypeError(`${fn}: "earlyStopping" needs a patience`);
    if (!options.validation) throw new TypeError(`${fn}: "earlyStopping" needs "validation"`);
  }
  const weights = weightsOf(head, targets, options.classWeights);
  return {
    epochs: count(fn, 'epochs', options.epochs, 10),
    batchSize: count(fn, 'batchSize', options.batchSize, 32),
    objective: objectiveOf(fn, head, options.loss, options.lossOptions, weights),
    schedule: options.schedule ?? (() => 1),
    clipNorm: positive(fn, 'clipNorm', options.clipNorm, 0) || 0,
    stopping: earlyStopping
      ? {
          patience: count(fn, 'patience', earlyStopping.patience, 1),
          minDelta: number(fn, 'minDelta', earlyStopping.minDelta, 0),
          monitor: choice(fn, 'monitor', earlyStopping.monitor, ['loss', 'accuracy'], 'loss'),
        }
      : null,
    seed: number(fn, 'seed', options.seed, 0, 'an integer', Number.isSafeInteger),
  };
}

function weightsOf({ labels }: HeadParts, targets: unknown, given: FitOptions['classWeights']): number[] | undefined {
  if (given === undefined) return undefined;
  if (given !== 'balanced')
    return Array.from(fromNumbers(fn, 'classWeights', given, [labels.length], 'float32').values);
  const rows = Array.from((targets as ArrayLike<unknown>) ?? []);
  if (!rows.length || rows.some((target) => typeof target !== 'number' && typeof target !== 'string'))
    throw new TypeError(`${fn}: "classWeights" can be "balanced" for class indices in an array, got ${shown(targets)}`);
  const indices = new Map(labels.map((label, c) => [label, c]));
  const counts = new Array<number>(labels.length).fill(0);
  for (const target of rows) {
    const c = typeof target === 'string' ? indices.get(target) : (target as number);
    if (c !== undefined && c in counts) counts[c]++; // others are ignored, or refused with the targets
  }
  const counted = counts.reduce((sum, some) => sum + some, 0);
  return counts.map((some) => (some ? counted / (labels.length * some) : 0));
}
