// What is called in right ways to begin with, and then with one argument or another gone astray: all of the table, and what is no
// operation of a matrix.

import { writeSafetensors } from '../../../src/formats/safetensors.ts';
import {
  adam,
  adamW,
  ClassificationHead,
  clipGradients,
  constantSchedule,
  cosineSchedule,
  createContext,
  infoNCE,
  linear,
  oneCycleSchedule,
  quantizeRows,
  sgd,
  stepSchedule,
  type Tensor,
  warmupSchedule,
} from '../../../src/index.ts';
import { table } from '../../table.ts';
import { through } from './hook.ts';

export interface Subject {
  readonly name: string;
  /** @param x a matrix of 3 or more columns */
  call(x: Tensor): unknown;
}

const features = [
  [1, 0, 2],
  [0, 1, -1],
  [2, 2, 0],
  [-1, 0.5, 1],
];
const targets = [0, 1, 2, 1];
const labels = ['cat', 'dog', 'emu'];
const soft = [
  [1, 0, 0],
  [0, 1, 1],
  [0, 0, 1],
  [1, 1, 0],
];
const weight = [
  [1, 0, 0.5],
  [0, 1, 0],
  [0.25, 0, 1],
];

/** A head on the context of x, with the results of some of its methods; it is disposed of when these are there. */
async function withHead<T>(
  x: Tensor,
  work: (head: ClassificationHead) => Promise<T>,
  activation?: 'sigmoid',
): Promise<unknown> {
  const head = ClassificationHead.fromWeights(x.context, { weight, bias: [0, 0.5, 0], labels, activation });
  try {
    const result = await work(head);
    return { result, weight: await head.weight.data(), bias: await head.bias?.data(), temperature: head.temperature };
  } finally {
    head.dispose();
  }
}

const method = (
  name: keyof ClassificationHead & string,
  args: (x: Tensor) => unknown[],
  activation?: 'sigmoid',
): Subject => ({
  name: `head.${name}${activation ? ', sigmoid' : ''}`,
  call: (x) =>
    withHead(
      x,
      async (head) => {
        const real = (...all: unknown[]) => (head[name] as (...all: unknown[]) => Promise<unknown>).apply(head, all);
        const result = await through(name, real, args(x));
        return result instanceof Blob ? [...new Uint8Array(await result.arrayBuffer())] : result;
      },
      activation,
    ),
});

/** Some steps of an optimizer; the moved parameters are the result. */
const steps = (optimizer: ReturnType<typeof sgd>, x: Tensor) => {
  const { context } = x;
  const parameters = [context.tensor([1, -2, 3]), context.tensor([[0.5], [4]])];
  const gradients = [context.tensor([0.1, 0.2, -0.3]), context.tensor([[1], [0]])];
  const step = (...args: unknown[]) => optimizer.step(...(args as Parameters<typeof optimizer.step>));
  through(`${optimizer.name}.step`, step, [parameters, gradients]);
  optimizer.step(parameters, gradients);
  return { first: parameters[0], second: parameters[1] };
};

const head = (fn: 'create' | 'fromWeights', options: object): Subject => ({
  name: `ClassificationHead.${fn}`,
  call: async (x) => {
    const real = (...args: unknown[]) =>
      (ClassificationHead[fn] as (...args: unknown[]) => ClassificationHead)(...args);
    const made = through(`ClassificationHead.${fn}`, real, [x.context, options]) as ClassificationHead;
    const result = { labels: made.labels, activation: made.activation, predicted: await made.predict([1, 2, 3]) };
    made.dispose();
    return result;
  },
});

const file = writeSafetensors([
  { name: 'classifier.weight', shape: [3, 3], values: Float32Array.from(weight.flat()) },
  { name: 'classifier.bias', shape: [3], values: new Float32Array(3) },
]).buffer;

const others: Subject[] = [
  { name: 'infoNCE', call: (x) => infoNCE(linear(x, x), linear(x, x), { temperature: 0.5, gradient: true }) },
  { name: 'clipGradients', call: (x) => ({ norm: clipGradients([x], 1), x }) },
  { name: 'quantizeRows', call: (x) => quantizeRows(x) },
  { name: 'sgd', call: (x) => steps(sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }), x) },
  { name: 'adam', call: (x) => steps(adam({ learningRate: 0.1, amsgrad: true }), x) },
  { name: 'adamW', call: (x) => steps(adamW({ learningRate: 0.1, weightDecay: 0.1 }), x) },
  ...[
    () => constantSchedule(),
    () => stepSchedule({ stepSize: 2, gamma: 0.5 }),
    () => cosineSchedule({ last: 0.1 }),
    () => warmupSchedule({ steps: 3, first: 0.1 }, cosineSchedule()),
    () => oneCycleSchedule({ pctStart: 0.3 }),
  ].map(
    (schedule, i): Subject => ({ name: `schedule ${i}`, call: () => [0, 1, 5, 9].map((step) => schedule()(step, 10)) }),
  ),
  {
    name: 'createContext',
    call: async () => {
      const context = await createContext({ backend: 'cpu', label: 'another' });
      const { backend } = context;
      context.dispose();
      return backend;
    },
  },
  {
    name: 'context.tensor',
    call: ({ context }) => {
      const real = (...args: unknown[]) => context.tensor(...(args as Parameters<typeof context.tensor>));
      return through('context.tensor', real, [
        Float32Array.of(1, 2, 3, 4, 5, 6),
        [2, 3],
        { dtype: 'float16', label: 'six' },
      ]);
    },
  },
  {
    name: 'context.fromBuffer',
    call: ({ context }) => {
      const buffer = context.device?.createBuffer({ size: 64, usage: 0x8c });
      const real = (...args: unknown[]) => context.fromBuffer(...(args as Parameters<typeof context.fromBuffer>));
      return through('context.fromBuffer', real, [buffer, [2, 3], { dtype: 'float32', byteOffset: 4 }]);
    },
  },
  head('create', { features: 3, labels, seed: 3 }),
  head('create', { features: 3, classes: 2, activation: 'sigmoid' }),
  head('fromWeights', { weight, bias: [1, 2, 3], labels, activation: 'sigmoid' }),
  method('predict', () => [features, { topK: 2, threshold: 0.1, temperature: 2, allow: ['cat', 1], deny: [2] }]),
  method('predict', () => [features, { topK: 2 }], 'sigmoid'),
  method('evaluate', () => [features, targets, { topK: 2 }]),
  method('evaluate', () => [features, soft], 'sigmoid'),
  method('calibrate', () => [features, targets]),
  method('calibrate', () => [features, soft], 'sigmoid'),
  method('fitRejection', () => [features, { keep: 0.5 }]),
  method('fit', () => [
    features,
    targets,
    {
      epochs: 2,
      batchSize: 3,
      clipNorm: 1,
      validation: { features, targets },
      earlyStopping: { patience: 1 },
      seed: 4,
    },
  ]),
  method('fit', () => [features, soft, { epochs: 2, batchSize: 3 }], 'sigmoid'),
  method('save', () => [{}]),
  {
    name: 'ClassificationHead.load',
    call: async (x) => {
      const real = (...args: unknown[]) =>
        ClassificationHead.load(...(args as Parameters<typeof ClassificationHead.load>));
      const config = { id2label: { 0: 'cat', 1: 'dog', 2: 'emu' }, problem_type: 'multi_label_classification' };
      const made = (await through('ClassificationHead.load', real, [
        x.context,
        file,
        { config },
      ])) as ClassificationHead;
      const result = { labels: made.labels, activation: made.activation, predicted: await made.predict([1, 2, 3]) };
      made.dispose();
      return result;
    },
  },
];

export const subjects: readonly Subject[] = [
  ...table.map(({ name, call }) => ({ name, call: (x: Tensor) => call(x, 1) })),
  ...others,
];
