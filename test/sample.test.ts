// sample(): the generator against its published vectors, the same draws on every backend and variant, their distribution, what the
// filters keep, rows without an answer, and what is refused. Every seed is fixed, so a test that passes once passes always.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import random from '../shaders/lib/random.wgsl';
import { exponentialOf, philox } from '../src/cpu/random.ts';
import { argmax, type Context, createContext, type SampleOptions, sample, type Tensor } from '../src/index.ts';
import { link, type Part } from '../src/webgpu/link.ts';
import { variants } from './support/contexts.ts';
import { limitedDevice, requestDevice, usage, wordsOf } from './support/device.ts';
import { once } from './support/once.ts';
import { normal, uniform } from './support/random.ts';
import * as reference from './support/reference.ts';

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: masked } = Number;

/** Counter, key, answer: the vectors of Random123 for philox4x32 of 10 rounds. */
const vectors = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
].map((texts) => texts.map((text) => text.split(' ').map((hex) => Number.parseInt(hex, 16))));

/** What an expression of random.wgsl makes of words, `x` being the four at a time: four for four. */
async function onDevice(expression: string, words: Uint32Array<ArrayBuffer>): Promise<Uint32Array> {
  const text = `@group(0) @binding(0) var<storage, read_write> words: array<vec4u>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) at: vec3u) { let x = words[at.x]; words[at.x] = ${expression}; }`;
  const kernel: Part = { file: 'test.wgsl', text, needs: [random], seams: [] };
  const device = await requestDevice();
  const { code } = link(kernel, {}, new Set(['words']));
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const buffer = device.createBuffer({ size: words.byteLength, usage: usage.all });
  device.queue.writeBuffer(buffer, 0, words);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [{ binding: 0, resource: { buffer } }];
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(words.length / 4);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const made = await wordsOf(device, buffer);
  device.destroy();
  return made;
}

describe('the generator', () => {
  it.each(vectors)('Philox of counter %j and key %j', async (counter, [low, high], expected) => {
    const words = Uint32Array.from(counter);
    philox(words, low, high);
    expect(Array.from(words)).toEqual(expected);
    expect(reference.philox(counter, [low, high])).toEqual(expected);
    const made = await onDevice(`philox(x, vec2u(${low}u, ${high}u))`, Uint32Array.from(counter));
    expect(Array.from(made)).toEqual(expected);
  });

  it('has the logarithm of an exponential number within 4 units of 2^-24, times it where it is more than 1', async () => {
    const edges = [0, 1, 2, 2 ** 22, 2 ** 23 - 1, 2 ** 23, 2 ** 23 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
    const next = uniform(3);
    const any = Array.from({ length: 4096 - edges.length }, (_, i) => (next() * 2 ** 32) >>> (i % 32));
    const words = Uint32Array.from([...edges, ...any]);
    const each = 'log_positive(exponential_of(x';
    const made = await onDevice(`bitcast<vec4u>(vec4f(${['x', 'y', 'z', 'w'].map((i) => `${each}.${i}))`)}))`, words);
    const noise = new Float32Array(made.buffer);
    words.forEach((word, i) => {
      const exact = -reference.gumbel(word);
      expect(Math.abs(Math.log(exponentialOf(word)) - exact)).toBeLessThan(1e-13);
      expect(Math.abs(noise[i] - exact), `${word}`).toBeLessThan(4 * 2 ** -24 * Math.max(1, Math.abs(exact)));
    });
  });
});

/** Each variant is held to the same keys. */
const keysOnce = once<number[]>();

/** The rows that were drawn otherwise than the reference has it, but for those whose two best classes lie within rounding. */
function wrongDraws(drawn: ArrayLike<number>, x: Float32Array, classes: number, options: SampleOptions): string[] {
  return Array.from(drawn).flatMap((c, r) => {
    const row = x.subarray(r * classes, (r + 1) * classes);
    const keys = keysOnce(`${row} ${r} ${JSON.stringify(options)}`, () => reference.sampleKeys([...row], r, options));
    const best = keys.reduce((a, b) => Math.max(a, b), masked);
    if (keys[c] === best) return [];
    return best - keys[c] < 1e-5 ? [] : [`row ${r}: ${c} at ${keys[c]}, not ${keys.indexOf(best)} at ${best}`];
  });
}

/** The share of chi-squared statistics that are larger, by Wilson and Hilferty's cube root: good to a few percent of itself. */
function pValue(observed: readonly number[], expected: readonly number[]): number {
  const statistic = observed.reduce((sum, n, i) => sum + (n - expected[i]) ** 2 / expected[i], 0);
  const freedom = observed.length - 1;
  const z = (Math.cbrt(statistic / freedom) - 1 + 2 / (9 * freedom)) / Math.sqrt(2 / (9 * freedom));
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z > 0 ? tail : 1 - tail;
}

const counts = (drawn: ArrayLike<number>, classes: number): number[] => {
  const found = new Array<number>(classes).fill(0);
  for (let i = 0; i < drawn.length; i++) found[drawn[i]]++;
  return found;
};

/** Neither too far from what is expected, nor too near: of 1,000 fair tests, two fail. */
function expectFair(observed: number[], expected: number[]): void {
  const p = pValue(observed, expected);
  expect(p).toBeGreaterThan(0.001);
  expect(p).toBeLessThan(0.999);
}

const repeated = (row: readonly number[], rows: number) =>
  Float32Array.from({ length: rows * row.length }, (_, i) => row[i % row.length]);

/** Every filter alone, and all of them. */
const filters: Omit<SampleOptions, 'seed'>[] = [
  { topK: 10 },
  { topP: 0.8 },
  { minP: 0.1 },
  { topK: 20, topP: 0.9, minP: 0.02, temperature: 1.7 },
];

describe.each(Object.entries(variants))('%s', (variant, contextOptions) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext(contextOptions);
  });
  afterAll(() => context.dispose());

  const draw = async (x: Float32Array, shape: number[], options: SampleOptions) => {
    const logits = context.tensor(x, shape);
    const drawn = sample(logits, options);
    const answer = await drawn.data();
    for (const tensor of [logits, drawn]) tensor.dispose();
    return answer;
  };

  describe('draws what the reference draws', () => {
    // 61 classes: odd, and more than a block of four or a group of lanes.
    it('1,024 rows of 61', async () => {
      const x = normal(1024 * 61, { sigma: 2, seed: 5 });
      expect(wrongDraws(await draw(x, [1024, 61], { seed: 99 }), x, 61, { seed: 99 })).toEqual([]);
    });

    it.each([{ temperature: 0.3 }, { temperature: 5 }, ...filters])('128 rows of 61, %j', async (options) => {
      const x = normal(128 * 61, { sigma: 2, seed: 6 });
      const drawn = await draw(x, [128, 61], { seed: 3, ...options });
      expect(wrongDraws(drawn, x, 61, { seed: 3, ...options })).toEqual([]);
    });

    it.each(filters)('rows full of ties, %j', async (options) => {
      const x = normal(128 * 61, { sigma: 2, seed: 7 }).map(Math.round);
      const drawn = await draw(x, [128, 61], { seed: 4, ...options });
      expect(wrongDraws(drawn, x, 61, { seed: 4, ...options })).toEqual([]);
    });

    it('rows offset by 1e4', async () => {
      const x = normal(512 * 61, { mean: 1e4, seed: 8 });
      expect(wrongDraws(await draw(x, [512, 61], { seed: 5 }), x, 61, { seed: 5 })).toEqual([]);
    });

    it('128,256 classes, plain and with all filters, of distinct and of tied logits', async () => {
      const classes = 128_256;
      const distinct = normal(classes, { sigma: 3, seed: 9 });
      const tied = distinct.map((v) => Math.round(4 * v) / 4);
      const x = new Float32Array(2 * classes);
      x.set(distinct);
      x.set(tied, classes);
      for (const options of [{}, { topK: 5000, topP: 0.95 }, { topK: 100_000, topP: 0.5, minP: 1e-4 }]) {
        const drawn = await draw(x, [2, classes], { seed: 6, ...options });
        expect(wrongDraws(drawn, x, classes, { seed: 6, ...options })).toEqual([]);
      }
    });
  });

  it('takes any axis, float16 and an output', async () => {
    const x = normal(6 * 37 * 5, { sigma: 2, seed: 12 });
    for (const axis of [0, 1, 2]) {
      const logits = context.tensor(x, [6, 37, 5], { dtype: 'float16' });
      const out = context.tensor(
        Int32Array.from({ length: x.length / [6, 37, 5][axis] }, () => 99),
        [6, 37, 5].filter((_, i) => i !== axis),
      );
      const drawn = sample(logits, { seed: 8, axis, temperature: 2, out });
      expect(drawn).toBe(out);
      const expected = reference.sample(await logits.data(), [6, 37, 5], { seed: 8, axis, temperature: 2 });
      expect(await drawn.data()).toEqual(expected);
    }
  });

  it('takes no rows, and one class', async () => {
    const none = sample(context.tensor(new Float32Array(0), [0, 4]), { seed: 1, topK: 2, topP: 0.5 });
    expect([none.shape, none.dtype, (await none.data()).length]).toEqual([[0], 'int32', 0]);
    const drawn = sample(context.tensor([[1], [masked], [nan], [-5]]), { seed: 1, topK: 1, topP: 0.5, minP: 1 });
    expect(await drawn.array()).toEqual([0, -1, -1, 0]);
    expect(await sample(context.tensor([3, 1000, 2]), { seed: 1 }).array()).toBe(1);
  });

  it.each([{}, ...filters.map((options) => ({ ...options, topK: options.topK && 3 }))])(
    'gives -1 to rows without an answer, and never a masked class: %j',
    async (options) => {
      const rows = [
        [masked, masked, masked, masked, masked],
        [0, nan, 2, 1, 1],
        [0, 1, inf, 1, 0],
        [inf, nan, masked, 0, 0],
        [masked, masked, -3e38, masked, masked],
        [masked, 0, masked, masked, -200],
        [3e38, -3e38, masked, 1, 0],
      ];
      const answers = [-1, -1, -1, -1, 2, 1, 0];
      const x = Float32Array.from({ length: 50 * 35 }, (_, i) => rows.flat()[i % 35]);
      const drawn = await draw(x, [350, 5], { seed: 13, ...options });
      expect(Array.from(drawn)).toEqual(Array.from(drawn, (_, r) => answers[r % 7]));
      const half = [masked, 0, masked, 0, masked, masked, masked];
      const either = await draw(repeated(half, 50), [50, 7], { seed: 14, ...options, topK: 7 });
      for (const c of new Set(either)) expect([1, 3]).toContain(c);
    },
  );

  it('tends to the argmax as the temperature falls, and to equal chances as it grows', async () => {
    const x = normal(300 * 20, { seed: 15 });
    const logits = context.tensor(x, [300, 20]);
    const first = await argmax(logits).data();
    for (const temperature of [1e-6, 1e-30, 1e-300])
      expect(await sample(logits, { seed: 1, temperature }).data()).toEqual(first);
    const drawn = await draw(repeated([5, -5, 0, 3], 8000), [8000, 4], { seed: 1, temperature: 1e30 });
    expectFair(counts(drawn, 4), [2000, 2000, 2000, 2000]);
  });

  it('draws a row alike in any batch, and otherwise in every row and from every seed', async () => {
    const x = normal(64 * 100, { sigma: 0.1, seed: 16 });
    const all = await draw(x, [64, 100], { seed: 20 });
    expect(await draw(x.slice(0, 900), [9, 100], { seed: 20 })).toEqual(all.slice(0, 9));
    expect(await draw(x, [64, 100], { seed: 20 })).toEqual(all);
    const same = (other: ArrayLike<number>) => all.filter((c, r) => c === other[r]).length;
    for (const seed of [0, 21, 20 + 2 ** 32, Number.MAX_SAFE_INTEGER])
      expect(same(await draw(x, [64, 100], { seed })), `seed ${seed}, ${variant}`).toBeLessThan(8); // of 64, by chance 0.64
  });
});

describe.each(['cpu', 'webgpu'] as const)('of many rows, %s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());
  const draw = async (x: Float32Array, shape: number[], options: SampleOptions) =>
    Int32Array.from(await sample(context.tensor(x, shape), options).data());

  describe('keeps', () => {
    // What is drawn of 2,000 rows alike is all that is kept: no class has less than 1 in 100 of the mass.
    const row = [0.3, -0.2, 1, 0.3, 0, -1, 0.3, 1, -0.5, 0.3];
    const cases: Omit<SampleOptions, 'seed'>[] = [
      {},
      ...[1, 2, 3, 4, 5, 6, 9, 10].map((topK) => ({ topK })),
      ...[1e-60, 0.1, 0.17, 0.2, 0.34, 0.4, 0.5, 0.77, 0.96, 1].map((topP) => ({ topP })),
      ...[0, 0.2, 0.3, 0.5, 0.99, 1].map((minP) => ({ minP })),
      { topK: 5, topP: 0.5 },
      { topK: 9, topP: 0.9, minP: 0.45 },
      { topP: 0.5, temperature: 0.5 },
    ];
    it.each(cases)('%j', async (options) => {
      const drawn = await draw(repeated(row, 2000), [2000, 10], { seed: 10, ...options });
      const kept = reference.keptClasses(row, options);
      expect([...new Set(drawn)].sort((a, b) => a - b)).toEqual(kept.sort((a, b) => a - b));
    });

    // [options, how many of ten equal classes: always the first ones]
    const ofEqual: [options: Omit<SampleOptions, 'seed'>, kept: number][] = [
      [{ topP: 0.1 }, 1],
      [{ topP: 0.3 }, 3],
      [{ topP: 0.7 }, 7],
      [{ topP: 0.75 }, 8],
      [{ topP: 0.9 }, 9],
      [{ topP: 0.99999 }, 10],
      [{ topK: 3 }, 3],
      [{ topK: 8, topP: 0.5 }, 4],
    ];
    it.each(ofEqual)('%j: of equal classes, the first %i', async (options, kept) => {
      const drawn = await draw(repeated([7], 10_000), [1000, 10], { seed: 1, ...options });
      expect([...new Set(drawn)].sort((a, b) => a - b)).toEqual(Array.from({ length: kept }, (_, c) => c));
    });
  });

  it('is fair: 20,000 draws of 12 classes, after every filter', async () => {
    const row = Array.from(normal(12, { seed: 2 }));
    for (const [i, options] of [{}, { temperature: 0.5 }, { topK: 6 }, { topP: 0.8 }, { minP: 0.2 }].entries()) {
      const drawn = await draw(repeated(row, 20_000), [20_000, 12], { seed: 100 + i, ...options });
      const p = reference.softmax(row, [12], options);
      const kept = reference.keptClasses(row, options);
      const mass = kept.reduce((sum, c) => sum + p[c], 0);
      const observed = counts(drawn, 12);
      expect(kept.reduce((sum, c) => sum + observed[c], 0)).toBe(20_000);
      expectFair(
        kept.map((c) => observed[c]),
        kept.map((c) => (20_000 * p[c]) / mass),
      );
    }
  });
});

describe('fairness at length, on the CPU', () => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend: 'cpu' });
  });
  afterAll(() => context.dispose());
  const draws = async (logits: Tensor, options: SampleOptions) => Array.from(await sample(logits, options).data());
  const equal = (n: number, of: number) => new Array<number>(of).fill(n / of);

  it('1,000 equal classes, 40,000 draws', async () => {
    const drawn = await draws(context.tensor(new Float32Array(2e7), [20_000, 1000]), { seed: 0 });
    for (let seed = 1; seed < 2; seed++)
      drawn.push(...(await draws(context.tensor(new Float32Array(2e7), [20_000, 1000]), { seed })));
    expectFair(counts(drawn, 1000), equal(40_000, 1000));
  });

  it('probabilities from a half to 2^-12, 400,000 draws', async () => {
    const row = Array.from({ length: 13 }, (_, c) => -Math.min(c + 1, 12) * Math.LN2);
    const drawn = await draws(context.tensor(repeated(row, 400_000), [400_000, 13]), { seed: 31 });
    expectFair(
      counts(drawn, 13),
      row.map((x) => 400_000 * Math.exp(x)),
    );
  });

  it('neighbouring rows, and one row from neighbouring seeds, in pairs', async () => {
    const rows = await draws(context.tensor(new Float32Array(160_000), [40_000, 4]), { seed: 41 });
    const one = context.tensor(new Float32Array(4), [1, 4]);
    const seeds: number[] = [];
    for (let seed = 0; seed < 20_000; seed++) seeds.push(...(await draws(one, { seed })));
    for (const drawn of [rows, seeds]) {
      const pairs = drawn.slice(0, -1).flatMap((c, i) => (i % 2 ? [] : [4 * c + drawn[i + 1]]));
      expectFair(counts(pairs, 16), equal(pairs.length, 16));
    }
  });
});

describe('rows cut into chunks', () => {
  it('are numbered through, along every axis', async () => {
    const device = await limitedDevice({ maxStorageBufferBindingSize: 1024 });
    const cut = await createContext({ device });
    const whole = await createContext({ backend: 'webgpu' });
    const x = normal(3 * 5 * 67 * 3, { seed: 17 });
    for (const [shape, axis] of [
      [[335, 9], 1], // 21 rows to a chunk
      [[67, 5, 9], 1], // four slabs of nine rows to a chunk
    ] as const) {
      for (const options of [{}, { topK: 4, topP: 0.9 }]) {
        const drawn = [cut, whole].map((context) => sample(context.tensor(x, shape), { seed: 5, axis, ...options }));
        const [pieces, all] = await Promise.all(drawn.map((tensor) => tensor.data()));
        expect(pieces).toEqual(all);
      }
    }
    for (const context of [cut, whole]) context.dispose();
    device.destroy();
  });
});

describe('refuses', () => {
  let context: Context;
  let logits: Tensor;
  beforeAll(async () => {
    context = await createContext({ backend: 'cpu' });
    logits = context.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });
  afterAll(() => context.dispose());

  const seeds = 'must be an integer from 0 to 9007199254740991';
  const cases: [options: unknown, kind: typeof TypeError | typeof RangeError, message: string][] = [
    [undefined, TypeError, `"seed" ${seeds}, got undefined`],
    [{}, TypeError, `"seed" ${seeds}, got undefined`],
    [{ seed: '1' }, TypeError, `"seed" ${seeds}, got "1"`],
    [{ seed: null }, TypeError, `"seed" ${seeds}, got null`],
    [{ seed: -1 }, RangeError, `"seed" ${seeds}, got -1`],
    [{ seed: 0.5 }, RangeError, `"seed" ${seeds}, got 0.5`],
    [{ seed: 2 ** 53 }, RangeError, `"seed" ${seeds}, got 9007199254740992`],
    [{ seed: 1, temperature: 0 }, RangeError, '"temperature" must be a positive finite number, got 0'],
    [{ seed: 1, temperature: inf }, RangeError, '"temperature" must be a positive finite number, got Infinity'],
    [{ seed: 1, topK: 0 }, RangeError, '"topK" must be an integer from 1 to 3, got 0'],
    [{ seed: 1, topK: 4 }, RangeError, '"topK" must be an integer from 1 to 3, got 4'],
    [{ seed: 1, topK: 1.5 }, RangeError, '"topK" must be an integer from 1 to 3, got 1.5'],
    [{ seed: 1, topK: true }, TypeError, '"topK" must be an integer from 1 to 3, got true'],
    [{ seed: 1, topP: 0 }, RangeError, '"topP" must be a number above 0 and at most 1, got 0'],
    [{ seed: 1, topP: 1.1 }, RangeError, '"topP" must be a number above 0 and at most 1, got 1.1'],
    [{ seed: 1, topP: nan }, RangeError, '"topP" must be a number above 0 and at most 1, got NaN'],
    [{ seed: 1, minP: -0.1 }, RangeError, '"minP" must be a number from 0 to 1, got -0.1'],
    [{ seed: 1, minP: 2 }, RangeError, '"minP" must be a number from 0 to 1, got 2'],
    [{ seed: 1, axis: 2 }, RangeError, '"axis" must be an integer from -2 to 1, got 2'],
    [{ seed: 1, out: [] }, TypeError, '"out" must be a Tensor, got []'],
    [null, TypeError, 'options must be an object, got null'],
    [1, TypeError, 'options must be an object, got 1'],
  ];
  it.each(cases)('%j', (options, kind, message) => {
    const before = context.memory();
    let error: unknown;
    try {
      sample(logits, options as never);
    } catch (thrown) {
      error = thrown;
    }
    expect((error as Error)?.message).toBe(`sample: ${message}`);
    expect((error as Error).constructor).toBe(kind);
    expect(context.memory()).toEqual(before);
  });

  it('other things', () => {
    const unknown = 'sample: unknown option "top_k"; it takes seed, temperature, topK, topP, minP, axis, out';
    expect(() => sample(logits, { seed: 1, top_k: 1 } as never)).toThrow(new TypeError(unknown));
    const integers = context.tensor([1], undefined, { dtype: 'int32' });
    expect(() => sample(integers, { seed: 1 })).toThrow('sample: "logits" must be float32 or float16, got int32');
    expect(() => sample(logits, { seed: 1, out: logits })).toThrow('sample: "out" must be int32, got float32');
    expect(() => sample(context.tensor([[], []]), { seed: 1 })).toThrow('the class axis -1 of shape [2, 0] is empty');
    expect(() => sample([1] as never, { seed: 1 })).toThrow('sample: "logits" must be a Tensor, got [1]');
  });
});
