// The golden files of test/golden, decoded. How they are made, and what they hold, is said in make_golden.py.
import classLosses from '../golden/class-losses.json';
import crossEntropyPlain from '../golden/cross-entropy.json';
import crossEntropyOptions from '../golden/cross-entropy-options.json';
import derivatives from '../golden/derivatives.json';
import elementwiseLosses from '../golden/elementwise-losses.json';
import embeddingLosses from '../golden/embedding-losses.json';
import predictions from '../golden/predictions.json';
import probabilities from '../golden/probabilities.json';

export interface GoldenTensor {
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32';
  readonly data: number[];
}

/** A result: float64 numbers; indices where the operation gives indices. */
export interface GoldenResult {
  readonly shape: number[];
  readonly data: number[];
}

export type GoldenValue = GoldenTensor | number | string | boolean | null;

export interface GoldenCase {
  /** The operation, a colon, what is special; unique within its file. */
  readonly name: string;
  /** The public function. */
  readonly op: string;
  /** Its arguments, by name and in their order: tensors, but for topK's k. */
  readonly inputs: Record<string, GoldenTensor | number>;
  /** Its last argument; weights and upstream may be tensors. */
  readonly options: Record<string, GoldenValue>;
  /** 'result' where the function returns a bare tensor, else its properties: 'loss', 'gradients.anchor'. */
  readonly expected: Record<string, GoldenResult>;
}

export const isGoldenTensor = (value: unknown): value is GoldenTensor =>
  typeof value === 'object' && value !== null && 'data' in value;

interface File {
  tensors: Record<string, unknown>;
  cases: { name: string; op: string; inputs: object; options: object; expected: object }[];
}

/** 'NaN', 'Infinity', '-Infinity' and '-0' are strings in JSON; Number reads them all. */
function decode(value: unknown, shared: File['tensors']): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('tensor' in value) return decode(shared[value.tensor as string], shared);
  return { ...value, data: (value as { data: (number | string)[] }).data.map(Number) };
}

const decodeAll = (values: object, shared: File['tensors']) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, decode(value, shared)]));

const read = ({ tensors, cases }: File): GoldenCase[] =>
  cases.map((entry) => ({
    name: entry.name,
    op: entry.op,
    inputs: decodeAll(entry.inputs, tensors) as GoldenCase['inputs'],
    options: decodeAll(entry.options, tensors) as GoldenCase['options'],
    expected: decodeAll(entry.expected, tensors) as GoldenCase['expected'],
  }));

/** By file: golden.crossEntropy, golden.derivatives, ... */
export const golden = {
  /** softmax, logSoftmax, logSumExp, sigmoid */
  probabilities: read(probabilities),
  /** argmax, argmin, topK, linear */
  predictions: read(predictions),
  /** crossEntropy of integer targets: reduction, ignoreIndex, axis, upstream, rows that are not finite */
  crossEntropy: read(crossEntropyPlain),
  /** crossEntropy with every other option, and soft targets */
  crossEntropyOptions: read(crossEntropyOptions),
  /** nllLoss, focalLoss, klDivergence, jsDivergence, entropyLoss, multiMarginLoss, brierLoss */
  classLosses: read(classLosses),
  /** binaryCrossEntropy, sigmoidFocalLoss, klDivLoss, hingeLoss, hingeEmbeddingLoss, meanSquaredError */
  elementwiseLosses: read(elementwiseLosses),
  /** tripletMarginLoss, contrastiveLoss, cosineEmbeddingLoss, marginRankingLoss, infoNCE */
  embeddingLosses: read(embeddingLosses),
  /** entropy, softmaxGradient, logSoftmaxGradient, logSumExpGradient, entropyGradient */
  derivatives: read(derivatives),
};
