// The chunk that loads a head from a file.

import type { HostOperand } from '../backend.js';
import type { StoredTensor } from '../formats/safetensors.js';
import type { Optimizer } from '../operations/optimizer.js';
import { flag, knownOptions, number, shown } from '../validate.js';
import type { Activation } from './activation.js';
import { describeHead, readConfig } from './describe-head.js';
import type { HeadParts } from './examples.js';
import { findWeights } from './find-weights.js';
import { storedInput } from './inputs.js';
import { labelsOf } from './labels.js';
import { expectSource, type LoadProgress, type Source } from './read-bytes.js';
import { readTensors } from './read-tensors.js';
import type { Rejection } from './rejection.js';
import { expectOptimizer, restoreOptimizer, savedRejection } from './save.js';

/** How a file of weights is to be read. */
export interface LoadOptions {
  /** Is given the state that `save({ optimizer })` wrote. */
  optimizer?: Optimizer;
  /** Hugging Face's config.json, for `id2label` and `problem_type`: the object, its JSON text, or where it lies. */
  config?: object | URL | string | Blob;
  /** The weight's name in the file, where it is none of the usual ones. */
  weightName?: string;
  /** The bias's name, where it is not the weight's with "bias" for "weight". */
  biasName?: string;
  /** Whether the head goes on when its device is lost, as for `ClassificationHead.fromWeights`; false by default. */
  recover?: boolean;
  /** Told of the bytes of the weights as they arrive. */
  onProgress?: (progress: LoadProgress) => void;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** The most that may be read of the weights, and of the config; no limit by default. More rejects, before it is read where it is known. */
  maxBytes?: number;
}

/** What a file says of a head, and what is left to do once the head is made. */
export interface LoadedHead {
  readonly parts: {
    readonly weight: HostOperand;
    readonly bias: HostOperand | null;
    readonly labels: readonly string[];
    readonly activation: Activation;
    readonly temperature: number;
    readonly rejection: Rejection | null;
  };
  restore(head: HeadParts): void;
}

export async function loadHead(fn: string, source: Source, options: LoadOptions): Promise<LoadedHead> {
  expectSource(fn, 'source', source);
  expectLoadOptions(fn, options);
  const { weightName, biasName, onProgress, signal, optimizer, maxBytes } = options;
  const config = await readConfig(fn, options.config, { signal, maxBytes });
  let found!: { weight: StoredTensor; bias: StoredTensor | undefined };
  const file = await readTensors(fn, source, { onProgress, signal, maxBytes }, (tensors) => {
    const { weight, bias } = findWeights(fn, tensors, weightName, biasName);
    found = { weight, bias };
    const state = optimizer ? [...tensors.values()].filter(({ name }) => name.startsWith('optimizer.')) : [];
    return bias ? [weight, bias, ...state] : [weight, ...state];
  });
  signal?.throwIfAborted();
  const { weight, bias } = found;
  const classes = weight.shape[0];
  const { labels, ...described } = describeHead(fn, classes, config, file.metadata);
  return {
    parts: {
      weight: storedInput(weight),
      bias: bias ? storedInput(bias) : null,
      labels: labelsOf(fn, labels, classes),
      ...described,
      rejection: savedRejection(fn, file, described.activation),
    },
    restore(head) {
      if (optimizer) restoreOptimizer(fn, head, optimizer, file);
    },
  };
}

function expectLoadOptions(fn: string, options: LoadOptions): void {
  const names = ['config', 'weightName', 'biasName', 'onProgress', 'signal', 'optimizer', 'maxBytes', 'recover'];
  knownOptions(fn, options, names);
  flag(fn, 'recover', options.recover);
  const { weightName, biasName, onProgress, signal, optimizer } = options;
  if (optimizer !== undefined) expectOptimizer(fn, optimizer);
  const expect = (name: string, value: unknown, expected: string, holds: boolean): void => {
    if (value !== undefined && !holds) throw new TypeError(`${fn}: "${name}" must be ${expected}, got ${shown(value)}`);
  };
  expect('weightName', weightName, 'a string', typeof weightName === 'string');
  expect('biasName', biasName, 'a string', typeof biasName === 'string');
  expect('onProgress', onProgress, 'a function', typeof onProgress === 'function');
  expect('signal', signal, 'an AbortSignal', signal instanceof AbortSignal);
  number(fn, 'maxBytes', options.maxBytes, 0, 'a number from 0', (value) => value >= 0);
}
