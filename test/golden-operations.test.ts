// The operations against the golden files: values from PyTorch, gradients by its autograd.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as crosshead from '../src/index.ts';
import { type Context, createContext, Tensor } from '../src/index.ts';
import { errorOf } from './support/close.ts';
import { type GoldenCase, type GoldenTensor, type GoldenValue, golden, isGoldenTensor } from './support/golden.ts';

const functions = crosshead as unknown as Record<string, (...values: unknown[]) => Tensor | Record<string, unknown>>;

/** Every case whose operation there is. */
const cases = Object.values(golden)
  .flat()
  .filter(({ op }) => op in crosshead);

const toTensor = (context: Context, value: GoldenTensor) =>
  context.tensor(value.data, value.shape, { dtype: value.dtype });

/** Runs a case: tensors for inputs, arrays for operands among the options. */
function run(context: Context, { op, inputs, options }: GoldenCase): Record<string, Tensor> {
  const values = Object.values(inputs).map((value) => (isGoldenTensor(value) ? toTensor(context, value) : value));
  const plain = (value: GoldenValue) => (isGoldenTensor(value) ? toTensor(context, value) : value);
  const given = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, plain(value)]));
  const result = functions[op](...values, given);
  return result instanceof Tensor ? { result } : flattened(result);
}

/** gradients: { anchor } as 'gradients.anchor'. */
function flattened(results: Record<string, unknown>, prefix = ''): Record<string, Tensor> {
  const entries = Object.entries(results).flatMap(([name, value]): [string, Tensor][] =>
    value instanceof Tensor
      ? [[prefix + name, value]]
      : value
        ? Object.entries(flattened(value as Record<string, unknown>, `${prefix}${name}.`))
        : [],
  );
  return Object.fromEntries(entries);
}

/** What float32 may be off: of the number itself, or for sums that cancel, of the largest number of the result. */
function allowed(op: string, expected: number, scale: number): number {
  if (op.startsWith('arg')) return 0;
  const ofItself = op === 'softmax' ? (16 - Math.log(expected || 1)) * 2 ** -23 * expected : 2e-6 * Math.abs(expected);
  const ofScale = /^(softmax|logSoftmax|sigmoid|arg|topK)/.test(op) ? 0 : 1e-6 * scale;
  return ofItself + ofScale + 2 ** -126;
}

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  it.each(cases.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
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
