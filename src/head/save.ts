// A head as a safetensors file, and what of an optimizer lies beside it.

import { WeightsFormatError } from '../errors.js';
import { type Safetensors, type TensorToStore, writeSafetensors } from '../formats/safetensors.js';
import type { Optimizer, OptimizerState } from '../operations/optimizer.js';
import type { Tensor } from '../tensor.js';
import { shown } from '../validate.js';
import type { HeadParts } from './examples.js';
import { isRejection, type Rejection } from './rejection.js';

const parts = ['weight', 'bias'] as const;

/** Weight and bias under names that `load` and Hugging Face's classifiers know; what they mean is in the metadata. */
export async function savedHead(
  head: HeadParts & { readonly rejection: Rejection | null },
  optimizer: Optimizer | undefined,
): Promise<Blob> {
  if (optimizer !== undefined) expectOptimizer('save', optimizer);
  const parameters = parametersOf(head);
  const [states, ...values] = await Promise.all([
    optimizer?.state(parameters) ?? [],
    ...parameters.map((tensor) => tensor.data() as Promise<Float32Array>),
  ]);
  const tensors: TensorToStore[] = parameters.map(({ shape, dtype }, i) => ({
    name: `classifier.${parts[i]}`,
    shape,
    values: values[i],
    dtype: dtype === 'float16' ? 'F16' : 'F32',
  }));
  states.forEach((state, i) => {
    for (const [slot, kept] of Object.entries(state?.slots ?? {})) {
      tensors.push({ name: `optimizer.${parts[i]}.${slot}`, shape: parameters[i].shape, values: kept });
    }
  });
  // Those that `load` gives where there are none are left out, for which a million classes would have no room in a header.
  const named = head.labels.some((label, c) => label !== String(c));
  const metadata: Record<string, string> = {
    format: 'pt',
    ...(named ? { labels: JSON.stringify(head.labels) } : {}),
    activation: head.activation,
    temperature: String(head.temperature),
  };
  if (head.rejection) metadata.rejection = JSON.stringify(head.rejection);
  if (optimizer) metadata.optimizer = JSON.stringify([optimizer.name, ...states.map((state) => state?.step ?? 0)]);
  return new Blob([writeSafetensors(tensors, metadata)], { type: 'application/octet-stream' });
}

/** @throws TypeError for what has no state to be kept */
export function expectOptimizer(fn: string, optimizer: Optimizer): void {
  if (typeof optimizer?.state !== 'function' || typeof optimizer.restore !== 'function')
    throw new TypeError(`${fn}: "optimizer" must be one such as adam({ learningRate: 0.01 }), got ${shown(optimizer)}`);
}

/** Gives an optimizer the state that a file has of a head's parameters. */
export function restoreOptimizer(fn: string, head: HeadParts, optimizer: Optimizer, file: Safetensors): void {
  const parameters = parametersOf(head);
  const [name, ...steps] = read(fn, file, 'optimizer', (value) => Array.isArray(value)) ?? [];
  if (name !== optimizer.name) {
    throw new WeightsFormatError(
      `${fn}: "optimizer" is ${optimizer.name}, but the file holds ${name ? `the state of ${name}` : 'no state of one'}`,
    );
  }
  const states = parameters.map((_, i): OptimizerState | null => {
    const prefix = `optimizer.${parts[i]}.`;
    const named = [...file.tensors.values()].filter((tensor) => tensor.name.startsWith(prefix));
    const slots = Object.fromEntries(named.map((tensor) => [tensor.name.slice(prefix.length), tensor.values()]));
    return steps[i] === 0 ? null : { step: steps[i] as number, slots };
  });
  try {
    optimizer.restore(parameters, states);
  } catch (cause) {
    throw new WeightsFormatError(`${fn}: the file's state of ${optimizer.name} does not fit`, { cause });
  }
}

/** @throws WeightsFormatError for a rejection that is none, or none of such a head */
export function savedRejection(fn: string, file: Safetensors, activation: HeadParts['activation']): Rejection | null {
  const fits = (value: unknown) => isRejection(value) && !(activation === 'sigmoid' && value.score === 'energy');
  return (read(fn, file, 'rejection', fits) as unknown as Rejection | undefined) ?? null;
}

function read(fn: string, file: Safetensors, key: string, holds: (value: unknown) => boolean): unknown[] | undefined {
  const text = file.metadata.get(key);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {}
  if (holds(value)) return value as unknown[];
  throw new WeightsFormatError(`${fn}: the file's metadata "${key}" is not what a head saves`);
}

const parametersOf = ({ weight, bias }: HeadParts): Tensor[] => (bias ? [weight, bias] : [weight]);
