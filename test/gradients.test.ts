// Every gradient of the table whose loss has a class axis, against central differences of the float64 reference's loss: a formula that
// is wrong in the reference and the kernel alike would show here. (Losses without a class axis: element-gradients.test.ts.)
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext } from '../src/index.ts';
import { elementEntries } from './element-entries.ts';
import { normal } from './support/random.ts';
import { type Entry, table } from './table.ts';

const shape = [4, 5];
/** Far enough from the kinks of the margin losses: no difference of two logits lies within 1e-3 of a margin. */
const x = normal(20, { sigma: 1.5, seed: 8 });
const step = 1e-5;

const entries = table.filter((entry) => {
  const { loss, gradient } = entry.reference(x, shape, 1);
  return loss && gradient && !elementEntries.includes(entry);
});

/** The objective is the sum of the losses, times upstream. */
function differences({ reference, upstream = 1 }: Entry, axis: number): Float64Array {
  const objective = (i: number, by: number) => {
    const moved = Float64Array.from(x, (v, j) => (j === i ? v + by : v));
    return upstream * Array.from(reference(moved, shape, axis).loss).reduce((a, b) => a + b, 0);
  };
  return Float64Array.from(x, (_, i) => (objective(i, step) - objective(i, -step)) / (2 * step));
}

it('cover every loss with a class axis', () => {
  const names = 'crossEntropy|nllLoss|focalLoss|klDivergence|jsDivergence|entropyLoss|multiMarginLoss|brierLoss';
  const found = new Set(entries.map(({ name }) => new RegExp(`^(${names})`).exec(name)?.[1]));
  expect([...found].sort()).toEqual(names.split('|').sort());
});

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  it.each(entries.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
    for (const axis of [0, 1]) {
      const { gradient } = entry.call(context.tensor(x, shape), axis);
      const actual = await gradient.data();
      differences(entry, axis).forEach((expected, i) => {
        expect(Math.abs(actual[i] - expected), `axis ${axis}, element ${i}`).toBeLessThan(2e-6);
      });
    }
  });
});
