// The float64 references of test/support against the golden files: two independent ways to the same answers.
import { describe, expect, it } from 'vitest';
import { expectClose, expectCloseByRow, ulpOf, worst, worstByRow } from './support/close.ts';
import { type GoldenCase, type GoldenTensor, type GoldenValue, golden, isGoldenTensor } from './support/golden.ts';
import { makeRows, normal } from './support/random.ts';
import * as reference from './support/reference.ts';

const plain = (value: GoldenValue | undefined) => (isGoldenTensor(value) ? value.data : value);

/** Every reference behind one face: arrays by the names that the golden file uses. */
function run({ op, inputs, options }: GoldenCase): Record<string, ArrayLike<number>> {
  const [first, second] = Object.values(inputs) as [GoldenTensor, GoldenTensor | number];
  const axis = options.axis as number | undefined;
  const temperature = options.temperature as number | undefined;
  const { data, shape } = first;
  switch (op) {
    case 'softmax':
      return { result: reference.softmax(data, shape, { axis, temperature }) };
    case 'logSoftmax':
      return { result: reference.logSoftmax(data, shape, { axis, temperature }) };
    case 'logSumExp':
      return { result: reference.logSumExp(data, shape, axis) };
    case 'argmax':
      return { result: reference.argmax(data, shape, axis) };
    case 'argmin':
      return { result: reference.argmin(data, shape, axis) };
    case 'sigmoid':
      return { result: reference.sigmoid(data) };
    case 'topK':
      return { ...reference.topK(data, shape, second as number, axis) };
    case 'linear': {
      const bias = plain(options.bias) as number[] | undefined;
      return { result: reference.linear(data, (second as GoldenTensor).data, shape[1], bias) };
    }
    case 'crossEntropy': {
      const given = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, plain(value)]));
      return { ...reference.crossEntropy(data, shape, (second as GoldenTensor).data, given) };
    }
    default:
      throw new Error(`no reference for ${op}`);
  }
}

describe.each(['probabilities', 'predictions', 'crossEntropy'] as const)('references and golden %s', (file) => {
  it.each(golden[file].map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
    const results = run(entry);
    for (const [name, expected] of Object.entries(entry.expected)) {
      // Sums that cancel (linear) are held to the size of their terms.
      const absolute = entry.op === 'linear' ? 1e-14 : 0;
      expectClose(results[name], expected.data, { relative: 1e-12, absolute }, name);
    }
  });
});

describe('golden files', () => {
  const all = Object.values(golden).flat();
  const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

  it('hold as many numbers as their shapes say, all of them decoded', () => {
    for (const { name, inputs, options, expected } of all) {
      const tensors = [...Object.values(inputs), ...Object.values(options), ...Object.values(expected)];
      for (const tensor of tensors.filter((value) => typeof value === 'object' && value !== null)) {
        expect(tensor.data.length, name).toBe(size(tensor.shape));
        expect(
          tensor.data.every((x) => typeof x === 'number'),
          name,
        ).toBe(true);
      }
    }
  });

  it('give inputs that float32 holds', () => {
    for (const { name, inputs } of all) {
      for (const tensor of Object.values(inputs).filter(isGoldenTensor)) {
        expectClose(Float32Array.from(tensor.data), tensor.data, {}, name);
      }
    }
  });

  it('read the numbers that JSON has no sign for', () => {
    const ties = golden.predictions.find(({ name }) => name === 'argmax: ties and special rows')!;
    const { data } = ties.inputs.x as GoldenTensor;
    expect(Object.is(data[13], -0)).toBe(true);
    expect(data.some(Number.isNaN)).toBe(true);
    expect(data).toContain(Number.POSITIVE_INFINITY);
    expect(data).toContain(Number.NEGATIVE_INFINITY);
  });
});

describe('comparisons', () => {
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

  it('take NaN, infinities and zeros as equal to their own kind alone', () => {
    expectClose([nan, infinity, -infinity, -0], [nan, infinity, -infinity, 0]);
    const all = { relative: 1, absolute: 1e300, ulp: 1e9 };
    for (const [got, expected] of [
      [nan, 0],
      [0, nan],
      [infinity, nan],
      [infinity, -infinity],
      [3e38, infinity],
      [infinity, 3e38],
    ]) {
      expect(() => expectClose([got], [expected], all)).toThrow('1 of 1 numbers are off');
      expect(() => expectCloseByRow([got], [expected], 1, 1e9)).toThrow('1 of 1 numbers are off');
      expect(worst([got], [expected]).relative).toBeGreaterThan(1e300);
    }
    expect(() => expectClose([1], [1, 2])).toThrow('expected 2 numbers, got 1');
  });

  it('hold to the tolerance, and name the first and the worst', () => {
    expectClose([1 + 1e-7], [1], { relative: 1.1e-7 });
    expectClose([2 + 2 ** -22], [2], { ulp: 1 });
    expectClose([1e-9], [0], { absolute: 1e-9 });
    expect(() => expectClose([2 + 2 ** -21], [2], { ulp: 1 })).toThrow('[0] got 2.0000004');
    expect(() => expectClose([1e-9], [0], { relative: 1 })).toThrow('allowed 0');
    expect(() => expectClose([1, 2.1, 4], [1, 2, 3], { relative: 1e-3 }, 'loss')).toThrow(
      /^loss: 2 of 3 numbers are off\n {2}first \[1\] got 2.1, expected 2, .*\n {2}worst \[2\] got 4, expected 3/,
    );
  });

  it('measure a row by its largest number', () => {
    expectCloseByRow([100, 1.0001, 0.001, 0.001], [100, 1, 0.001, 0.001], 2, 1.1e-6);
    expect(() => expectCloseByRow([100, 1, 0.001, 0.0011], [100, 1, 0.001, 0.001], 2, 1e-3)).toThrow('[3] got 0.0011');
    expect(worstByRow([100, 1.5, 2, 3], [100, 1, 2, 3], 2)).toEqual({
      index: 1,
      got: 1.5,
      expected: 1,
      error: 0.5,
      relative: 0.005,
    });
    expect(worst([100, 1.5, 2, 3], [100, 1, 2, 3]).relative).toBe(0.5);
    expect(worst([1, nan], [1, nan]).relative).toBe(0);
  });

  it('know the spacing of float32', () => {
    for (const x of [1, -1, 1.5, 0.1, 3e38, 2 ** -126, 1e-40, 0, 8 - 2 ** -21]) {
      const bits = new Uint32Array(Float32Array.of(Math.abs(x)).buffer);
      const [below, above] = new Float32Array(Uint32Array.of(bits[0], bits[0] + 1).buffer);
      expect(ulpOf(x)).toBe(above - below);
    }
  });
});

describe('random numbers', () => {
  it('come out the same for the same seed, with the mean and spread asked for', () => {
    const x = normal(20_000, { mean: 3, sigma: 2, seed: 7 });
    expectClose(x, normal(20_000, { mean: 3, sigma: 2, seed: 7 }));
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
    expectClose([mean, variance], [3, 4], { relative: 0.03 });
    expect(x[0]).not.toBe(normal(1, { mean: 3, sigma: 2, seed: 8 })[0]);
  });

  it('stand a peak on each target', () => {
    const { logits, targets } = makeRows('peaked by 30', 50, 12, 3);
    expectClose(reference.argmax(logits, [50, 12]), targets);
    expect(new Set(targets).size).toBe(12);
    expect(makeRows('3e38', 2, 3).logits).toEqual(new Float32Array(6).fill(3e38));
  });
});
