// What is timed: operations by shapes, as heads, small classifiers and language models have them.
import type { Case, OperationName } from './types.ts';

/** Of `topK`, and of what `predict` answers. */
export const k = 5;

const shapes: readonly [rows: number, classes: number][] = [
  [1, 1000],
  [64, 1000],
  [1024, 1000],
  [256, 10],
  [65_536, 10],
  [32, 32_000],
  [16, 128_256],
  [1, 1_000_000],
  [4096, 4096],
];

const heads: readonly [rows: number, features: number, classes: number][] = [
  [64, 768, 1000],
  [1, 2048, 1000],
  [256, 512, 10],
  [128, 1024, 32_000],
];

/** Heads as they are trained: the last is as wide as a language model's. */
const trained: readonly [rows: number, features: number, classes: number][] = [
  [64, 768, 1000],
  [256, 512, 10],
  [128, 256, 32_000],
];

/** What begins with logits. */
type Rowwise = Exclude<OperationName, 'predict' | LinearName>;
type LinearName = 'linearLoss' | 'linearGradients';

/** Elements of four bytes that have to be read and written beside the logits. */
const besides: Record<Rowwise, (rows: number, classes: number) => number> = {
  softmax: (rows, classes) => rows * classes,
  logSoftmax: (rows, classes) => rows * classes,
  crossEntropy: (rows) => rows + 1,
  crossEntropyGradient: (rows, classes) => rows * classes + rows + 1,
  argmax: (rows) => rows,
  topK: (rows) => 2 * k * rows,
};

const rowwise = (operation: Rowwise, [rows, classes]: [number, number]): Case => ({
  id: `${operation} ${rows}x${classes}`,
  operation,
  rows,
  classes,
  bytes: 4 * (rows * classes + besides[operation](rows, classes)),
});

const predict = ([rows, features, classes]: [number, number, number]): Case => ({
  id: `predict N${rows} D${features} C${classes}`,
  operation: 'predict',
  rows,
  classes,
  features,
  bytes: 4 * (rows * features + classes * features + classes + 2 * k * rows),
});

const linear = (operation: LinearName, [rows, features, classes]: [number, number, number]): Case => {
  const operands = rows * features + classes * features;
  return {
    id: `${operation} N${rows} D${features} C${classes}`,
    operation,
    rows,
    classes,
    features,
    bytes: 4 * (operands * (operation === 'linearGradients' ? 2 : 1) + classes + rows + 1),
  };
};

export const allCases: readonly Case[] = [
  ...(Object.keys(besides) as Rowwise[]).flatMap((operation) => shapes.map((shape) => rowwise(operation, shape))),
  ...heads.map(predict),
  ...(['linearLoss', 'linearGradients'] as const).flatMap((name) => trained.map((shape) => linear(name, shape))),
];

/** Whether a case's operation takes targets. */
export const takesTargets = ({ operation }: Case): boolean => /^(crossEntropy|linear)/.test(operation);

/** A case's shape as people name it: `1024x1000`, `N64 D768 C1000`. */
export const shapeOf = (one: Case): string => one.id.slice(one.operation.length + 1);

/** What a word means: one case by its id, all of an operation or of a shape by their names, else cases whose id holds it. */
function casesOf(word: string, cases: readonly Case[]): Case[] {
  const tests: ((one: Case) => boolean)[] = [
    ({ id }) => id === word,
    ({ operation }) => operation === word,
    (one) => shapeOf(one) === word,
    ({ id }) => id.includes(word),
  ];
  return tests.map((test) => cases.filter(test)).find((found) => found.length > 0) ?? [];
}

/** The cases that any of `words` means, in their own order; all where there are no words. */
export function casesLike(words: readonly string[], cases: readonly Case[] = allCases): Case[] {
  const meant = new Set(words.flatMap((word) => casesOf(word, cases)));
  return words.length === 0 ? [...cases] : cases.filter((one) => meant.has(one));
}
