import { WeightsFormatError } from '../errors.js';
import type { StoredTensor } from '../formats/safetensors.js';
import { shown } from '../validate.js';

type Tensors<T extends StoredTensor = StoredTensor> = ReadonlyMap<string, T>;

/** What models call the weight of their last layer, the surest names first. */
const usualNames = [
  'classifier.weight',
  'classifier.out_proj.weight',
  'score.weight',
  'fc.weight',
  'head.weight',
  'lm_head.weight',
  'weight',
];

/** The head's tensors in a file: the weight [C, D], and the bias [C] if there is one. */
export function findWeights<T extends StoredTensor>(
  fn: string,
  tensors: Tensors<T>,
  weightName?: string,
  biasName?: string,
): { weight: T; bias: T | undefined } {
  const weight = weightName === undefined ? usualWeight(fn, tensors) : named(fn, 'weightName', tensors, weightName);
  if (weight.shape.length !== 2 || weight.shape.includes(0)) {
    throw wrongShape(fn, weight, 'the weight must have shape [classes, features], neither of them 0');
  }
  const bias = biasName === undefined ? usualBias(tensors, weight.name) : named(fn, 'biasName', tensors, biasName);
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== weight.shape[0])) {
    throw wrongShape(fn, bias, `the bias must have shape [${weight.shape[0]}], one a class of ${shown(weight.name)}`);
  }
  return { weight, bias };
}

function named<T extends StoredTensor>(fn: string, option: string, tensors: Tensors<T>, name: string): T {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  throw new WeightsFormatError(`${fn}: "${option}" is ${shown(name)}, but the file holds ${listed(tensors)}`);
}

function usualWeight<T extends StoredTensor>(fn: string, tensors: Tensors<T>): T {
  const matrices = [...tensors.values()].filter((tensor) => tensor.shape.length === 2);
  for (const name of usualNames) {
    const exact = matrices.find((tensor) => tensor.name === name);
    if (exact) return exact;
  }
  // Inside a larger model the name has a prefix. Where several end alike they are layers of its body, not its head.
  for (const name of usualNames) {
    const ends = matrices.filter((tensor) => tensor.name.endsWith(`.${name}`));
    if (ends.length === 1) return ends[0];
  }
  throw new WeightsFormatError(
    `${fn}: no matrix is named like a head's weight (${usualNames.join(', ')}); ` +
      `give "weightName". The file holds ${listed(tensors)}`,
  );
}

/** "classifier.bias" beside "classifier.weight"; a name that ends in something else has no bias that could be guessed. */
const usualBias = <T extends StoredTensor>(tensors: Tensors<T>, weightName: string): T | undefined =>
  weightName.endsWith('weight') ? tensors.get(weightName.replace(/weight$/, 'bias')) : undefined;

/** The matrices of a file first: one of them is what the caller wants. */
function listed(tensors: Tensors): string {
  if (tensors.size === 0) return 'no tensors';
  const sorted = [...tensors.values()].sort((a, b) => Number(b.shape.length === 2) - Number(a.shape.length === 2));
  const some = sorted.slice(0, 10).map(({ name, shape }) => `${name.slice(0, 100)} [${shape.slice(0, 8).join(', ')}]`);
  return some.join(', ') + (tensors.size > 10 ? ` and ${tensors.size - 10} more` : '');
}

const wrongShape = (fn: string, { name, shape }: StoredTensor, expected: string): WeightsFormatError =>
  new WeightsFormatError(`${fn}: tensor ${shown(name)} has shape ${shown(shape)}; ${expected}`);
