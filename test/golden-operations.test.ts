// The operations against the golden files: values from PyTorch, gradients by its autograd.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  argmax,
  argmin,
  type Context,
  createContext,
  crossEntropy,
  linear,
  logSoftmax,
  logSumExp,
  sigmoid,
  softmax,
  Tensor,
  topK,
} from '../src/index.ts';
import { errorOf } from './support/close.ts';
import { type GoldenCase, type GoldenTensor, type GoldenValue, golden, isGoldenTensor } from './support/golden.ts';

// biome-ignore lint/suspicious/noExplicitAny: the golden files decide what each function is called with
const functions: Record<string, (...values: any[]) => Tensor | object> = {
  argmax,
  argmin,
  crossEntropy,
  linear,
  logSoftmax,
  logSumExp,
  sigmoid,
  softmax,
  topK,
};

const toTensor = (context: Context, value: GoldenTensor) =>
  context.tensor(value.data, value.shape, { dtype: value.dtype });

/** Runs a case: tensors for inputs, arrays for operands among the options. */
function run(context: Context, { op, inputs, options }: GoldenCase): Record<string, Tensor> {
  const values = Object.values(inputs).map((value) => (isGoldenTensor(value) ? toTensor(context, value) : value));
  const plain = (value: GoldenValue) => (isGoldenTensor(value) ? toTensor(context, value) : value);
  const given = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, plain(value)]));
  const result = functions[op](...values, given);
  return result instanceof Tensor ? { result } : (result as Record<string, Tensor>);
}

/** What float32 may be off: of the number itself, or for sums that cancel, of the largest number of the result. */
function allowed(op: string, expected: number, scale: number): number {
  if (op.startsWith('arg')) return 0;
  const ofItself = op === 'softmax' ? (16 - Math.log(expected || 1)) * 2 ** -23 * expected : 2e-6 * Math.abs(expected);
  const ofScale = op === 'linear' || op === 'crossEntropy' || op === 'logSumExp' ? 1e-6 * scale : 0;
  return ofItself + ofScale + 2 ** -126;
}

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  it.each(
    [...golden.probabilities, ...golden.predictions, ...golden.crossEntropy].map(
      (entry) => [entry.name, entry] as const,
    ),
  )('%s', async (_, entry) => {
    const results = run(context, entry);
    for (const [name, { data, shape }] of Object.entries(entry.expected)) {
      expect(results[name].shape, name).toEqual(shape);
      const actual = await results[name].data();
      const scale = data.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
      data.forEach((value, i) => {
        const stored = results[name].dtype === 'float32' ? Math.fround(value) : value;
        const wanted = Number.isFinite(stored) ? value : stored; // beyond float32 is infinite in it
        const error = errorOf(actual[i], wanted);
        if (error > allowed(entry.op, value, scale)) expect.fail(`${name}[${i}]: got ${actual[i]}, expected ${wanted}`);
      });
    }
  });
});
