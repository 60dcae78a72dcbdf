// The plan: which variant runs, how rows are cut, how workgroups are laid out. Pure functions, but for one planner that lies.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmin, createContext, logSoftmax, softmax, topK } from '../src/index.ts';
import { pooledSize } from '../src/webgpu/buffers.ts';
import { checkPlan, chunksOf, defaultPlan, type Facts, gridOf, type Plan, planName } from '../src/webgpu/plan.ts';
import { expectClose } from './support/close.ts';
import { errorOf } from './support/errors.ts';
import * as reference from './support/reference.ts';

const hardware: Facts = { software: false, subgroups: true, minSubgroup: 32, maxSubgroup: 32, maxInvocations: 256 };
const without: Facts = { software: false, subgroups: false, maxInvocations: 256 };
const software: Facts = { ...hardware, software: true };

describe('the default plan', () => {
  const planOf = (rows: number, classes: number, inner: number, facts: Facts) =>
    planName('k', defaultPlan({ kernel: 'k', rows, classes, inner, splits: true }, facts));

  it.each<[string, number, number, number, Facts, string]>([
    ['few classes: several rows a subgroup', 1000, 10, 1, hardware, 'k/shuffle-4x32-held1'],
    ['one class', 1000, 1, 1, hardware, 'k/shuffle-1x128-held1'],
    ['two classes', 1000, 2, 1, hardware, 'k/shuffle-1x128-held1'],
    ['few classes, without subgroups', 1000, 32, 1, without, 'k/none-1x64'],
    ['one more, without subgroups', 1000, 33, 1, without, 'k/barrier-16x8-held1'],
    ['the most for a lane group', 1000, 1024, 1, hardware, 'k/shuffle-32x4-held8'],
    ['the same without subgroups', 1000, 1024, 1, without, 'k/barrier-32x4-held8'],
    ['subgroups that may be small', 1000, 100, 1, { ...hardware, minSubgroup: 8 }, 'k/shuffle-8x16-held4'],
    ['subgroups that are too small', 1000, 100, 1, { ...hardware, minSubgroup: 4 }, 'k/barrier-32x4-held1'],
    ['one more', 1000, 1025, 1, hardware, 'k/subgroup-256x1-held2'],
    ['one more, without subgroups', 1000, 1025, 1, without, 'k/barrier-256x1-held2'],
    ['the most that registers hold', 1000, 16_384, 1, hardware, 'k/subgroup-256x1-held16'],
    ['more: read twice', 1000, 128_256, 1, hardware, 'k/subgroup-256x1-held16'],
    ['few rows of very many: strips', 16, 128_256, 1, hardware, 'k/subgroup-256x1-held8-strips16'],
    ['one row of very many', 1, 1_000_000, 1, hardware, 'k/subgroup-256x1-held8-strips128'],
    ['an inner axis that is short', 1000, 33, 31, hardware, 'k/shuffle-16x8-held1'],
    ['an inner axis along which rows are neighbours', 1000, 1025, 32, hardware, 'k/none-1x64'],
    ['a small device', 1000, 33, 1, { ...hardware, maxInvocations: 128 }, 'k/shuffle-16x4-held1'],
    ['a small device, many classes', 1, 1025, 1, { ...hardware, maxInvocations: 128 }, 'k/subgroup-128x1-held3'],
    [
      'a device whose limit is no power of two',
      1,
      1025,
      1,
      { ...without, maxInvocations: 255 },
      'k/barrier-128x1-held3',
    ],
    ['a large device', 1, 1025, 1, { ...without, maxInvocations: 1024 }, 'k/barrier-256x1-held2'],
    ['software: never a barrier', 1000, 1_000_000, 1, software, 'k/none-1x64-pace2'],
    ['software: work worth a longer text', 4, 4097, 1, software, 'k/none-1x4-pace2-strips8'],
    ['software: workgroups for every core', 64, 10, 1, software, 'k/none-1x4-twice'],
    ['software: few classes', 65_536, 63, 1, software, 'k/none-1x64-twice'],
    ['software: one class more', 65_536, 64, 1, software, 'k/none-1x64-pace2'],
    ['software: one row in strips', 1, 4096, 1, software, 'k/none-1x4-strips32'],
    ['software: one class less', 1, 4095, 1, software, 'k/none-1x4'],
    ['software: rows enough without strips', 16, 4096, 1, software, 'k/none-1x4-pace2'],
    ['software: no rows', 0, 4096, 1, software, 'k/none-1x4-strips32'],
    ['no rows', 0, 10, 1, hardware, 'k/shuffle-4x32-held1'],
  ])('%s', (_, rows, classes, inner, facts, name) => {
    expect(planOf(rows, classes, inner, facts)).toBe(name);
  });

  it('is one that the device can run, whatever is asked', () => {
    const any = fc.nat({ max: 2 ** 31 });
    const facts = fc.record({
      software: fc.boolean(),
      subgroups: fc.boolean(),
      minSubgroup: fc.constantFrom(undefined, 4, 8, 16, 32),
      maxSubgroup: fc.constantFrom(undefined, 32, 64),
      maxInvocations: fc.integer({ min: 64, max: 2048 }), // no device has less than 128
    });
    fc.assert(
      fc.property(any, any, any, fc.boolean(), fc.boolean(), facts, (rows, classes, inner, splits, keeps, facts) => {
        const plan = defaultPlan({ kernel: 'k', rows, classes, inner, splits, keeps }, facts);
        expect(checkPlan(plan, facts)).toBe(plan);
        if (facts.software) expect(plan.reduce).toBe('none');
        expect(!!plan.keeps).toBe(facts.software && keeps);
      }),
    );
  });
});

describe('a plan from outside', () => {
  it.each<Plan>([
    { reduce: 'none', lanes: 1, rows: 1 },
    { reduce: 'none', lanes: 1, rows: 256 },
    { reduce: 'none', lanes: 1, rows: 3 },
    { reduce: 'barrier', lanes: 1, rows: 1 },
    { reduce: 'barrier', lanes: 64, rows: 4 },
    { reduce: 'barrier', lanes: 2, rows: 127 },
    { reduce: 'subgroup', lanes: 256, rows: 1 },
    { reduce: 'subgroup', lanes: 256, rows: 1, held: 16, strips: 3 },
    { reduce: 'shuffle', lanes: 8, rows: 4 },
    { reduce: 'none', lanes: 1, rows: 4, pace: 2, keeps: true },
    { reduce: 'none', lanes: 1, rows: 4, keeps: true, strips: 2 },
  ])('is taken: %j', (plan) => {
    expect(checkPlan(plan, hardware)).toBe(plan);
  });

  it.each<[string, unknown]>([
    ['more invocations than the device has', { reduce: 'barrier', lanes: 64, rows: 5 }],
    ['the same without a reduction', { reduce: 'none', lanes: 1, rows: 257 }],
    ['lanes without a reduction', { reduce: 'none', lanes: 2, rows: 1 }],
    ['lanes that are no power of two', { reduce: 'barrier', lanes: 24, rows: 1 }],
    ['no lanes', { reduce: 'barrier', lanes: 0, rows: 1 }],
    ['half a lane', { reduce: 'barrier', lanes: 0.5, rows: 1 }],
    ['negative lanes', { reduce: 'barrier', lanes: -4, rows: 1 }],
    ['no rows', { reduce: 'barrier', lanes: 4, rows: 0 }],
    ['rows that are not whole', { reduce: 'barrier', lanes: 4, rows: 1.5 }],
    ['rows that leave a subgroup half empty', { reduce: 'shuffle', lanes: 8, rows: 2 }],
    ['more lanes than a subgroup may have', { reduce: 'shuffle', lanes: 64, rows: 2 }],
    ['half a strip', { reduce: 'none', lanes: 1, rows: 4, strips: 0.5 }],
    ['no strip', { reduce: 'none', lanes: 1, rows: 4, strips: 0 }],
    ['negative registers', { reduce: 'none', lanes: 1, rows: 4, held: -1 }],
    ['NaN', { reduce: 'barrier', lanes: Number.NaN, rows: 1 }],
    ['infinity', { reduce: 'barrier', lanes: Number.POSITIVE_INFINITY, rows: 1 }],
    ['several rows to a subgroup', { reduce: 'subgroup', lanes: 32, rows: 2 }],
    ['exponentials kept by several lanes', { reduce: 'barrier', lanes: 4, rows: 1, keeps: true }],
    ['a reduction that is none', { reduce: 'tree', lanes: 32, rows: 1 }],
    ['strings', { reduce: 'barrier', lanes: '32', rows: '1' }],
    ['nothing in it', {}],
    ['null', null],
    ['undefined', undefined],
    ['a number', 32],
    ['a name', 'barrier-32x4'],
  ])('is refused: %s', (_, plan) => {
    const message = `createContext: "plan" gave ${JSON.stringify(plan)}, which this device cannot run`;
    expect(() => checkPlan(plan as Plan, hardware)).toThrow(new RangeError(message));
  });

  it('is refused with subgroups where there are none', () => {
    expect(() => checkPlan({ reduce: 'subgroup', lanes: 32, rows: 1 }, without)).toThrow(RangeError);
  });

  it('may have more strips than a row has classes', async () => {
    using context = await createContext({
      backend: 'webgpu',
      plan: () => ({ reduce: 'none', lanes: 1, rows: 4, strips: 5 }),
    });
    for (const classes of [1, 2, 3, 4, 6, 7, 11]) {
      const values = Float32Array.from({ length: 3 * classes }, (_, i) => Math.sin(i) * 4 + i);
      const x = context.tensor(values, [3, classes]);
      const p = await softmax(x).data();
      for (let row = 0; row < 3; row++) {
        const own = Array.from(values.subarray(row * classes, (row + 1) * classes));
        const sum = own.reduce((total, v) => total + Math.exp(v - Math.max(...own)), 0);
        own.forEach((v, c) => {
          expect(p[row * classes + c]).toBeCloseTo(Math.exp(v - Math.max(...own)) / sum, 5);
        });
        expect((await argmin(x).data())[row]).toBe(own.indexOf(Math.min(...own)));
        expect((await topK(x, 1).indices.data())[row]).toBe(own.indexOf(Math.max(...own)));
      }
    }
  });

  it.each([
    [1, false, false],
    [1, true, false],
    [2, false, false],
    [2, true, false],
    [1, false, true],
    [1, true, true],
    [2, false, true],
  ])(
    'gives the same softmax at pace %i, whether exponentials are kept: %s, rows read twice: %s',
    async (pace, keeps, twice) => {
      using context = await createContext({
        backend: 'webgpu',
        plan: () => ({ reduce: 'none', lanes: 1, rows: 4, pace, keeps, twice }),
      });
      const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
      const rounding = { relative: 3e-6, absolute: 1e-30 }; // of distances up to 20
      for (const classes of [1, 2, 4, 5, 9, 256, 257, 300]) {
        const shape = [4, classes, 2];
        const values = Float32Array.from({ length: 8 * classes }, (_, i) => Math.sin(i) * 20 - 5);
        for (const [i, x] of [-infinity, nan, infinity, -nan].entries()) values[i * 2 * classes] = x;
        const x = context.tensor(values, shape);
        const expected = reference.softmax(values, shape, { axis: 1, temperature: 2 });
        const logarithms = reference.logSoftmax(values, shape, { axis: 1, temperature: 2 });
        const p = softmax(x, { axis: 1, temperature: 2 });
        expect(p.plan).toBe(
          `softmax/none-1x4${pace === 2 ? '-pace2' : ''}${keeps ? '-keeps' : ''}${twice && classes <= 256 ? '-twice' : ''}`,
        );
        expectClose(await p.data(), expected, rounding);
        expectClose(await logSoftmax(x, { axis: 1, temperature: 2 }).data(), logarithms, rounding);
        expectClose(await softmax(x, { axis: 1, temperature: 2, out: x }).data(), expected, rounding);
      }
    },
  );

  describe.each([
    { pace: 1, strips: 1 },
    { pace: 2, strips: 1 },
    { pace: 1, strips: 3 },
    { pace: 2, strips: 3 },
  ])('keeps exponentials of rows whose first classes say little: %j', (numbers) => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const classes = 301;
    // By class: what stands there.
    it.each<[string, Record<number, number>, temperature: number]>([
      ['a class far above', { 200: 59.5 }, 1],
      ['a class further above', { 200: 61 }, 1],
      ['a class beyond what exp can hold', { 299: 100 }, 1],
      ['two such', { 150: 95, 299: 300 }, 1],
      ['the largest there is', { 64: 3.4028234663852886e38, 300: 3.4028234663852886e38 }, 1],
      ['a low temperature', { 180: 5 }, 0.01],
      ['a high temperature', { 180: 500 }, 100],
      ['+Infinity', { 300: infinity }, 1],
      ['NaN', { 299: nan }, 1],
      ['-NaN', { 100: -nan }, 1],
      ['masked classes', { 66: -infinity, 230: 3 }, 1],
    ])('%s', async (_, late, temperature) => {
      using context = await createContext({
        backend: 'webgpu',
        plan: () => ({ reduce: 'none', lanes: 1, rows: 4, keeps: true, ...numbers }),
      });
      // The first 64 classes as they come, masked, and as low as can be.
      const rows = [Math.sin, () => -infinity, () => -3.4028234663852886e38].map((early) =>
        Array.from({ length: classes }, (_, c) => late[c] ?? (c < 64 ? early(c) : Math.cos(c))),
      );
      const values = Float32Array.from(rows.flat());
      const x = context.tensor(values, [3, classes]);
      const expected = reference.softmax(values, [3, classes], { temperature });
      const p = softmax(x, { temperature });
      expect(p.plan).toContain(numbers.strips > 1 ? '-keeps-strips3' : '-keeps');
      expectClose(await p.data(), expected, { relative: 3e-6, absolute: 1e-30 });
      expectClose(await softmax(x, { temperature, out: x }).data(), expected, { relative: 3e-6, absolute: 1e-30 });
    });
  });

  it.each([1, 2])(
    'keeps none of float16 rows that are overwritten, where their strips go through scratch, at pace %i',
    async (pace) => {
      using context = await createContext({
        backend: 'webgpu',
        plan: () => ({ reduce: 'none', lanes: 1, rows: 4, keeps: true, pace, strips: 2 }),
      });
      for (const classes of [3, 7, 300]) {
        const x = context.tensor(
          Float32Array.from({ length: 3 * classes }, (_, i) => Math.sin(i) * 4),
          [3, classes],
          { dtype: 'float16' },
        );
        const expected = reference.softmax(await x.data(), [3, classes], {});
        expectClose(await softmax(x).data(), expected, { relative: 1e-3, absolute: 1e-6 });
        expectClose(await softmax(x, { out: x }).data(), expected, { relative: 1e-3, absolute: 1e-6 });
      }
    },
  );

  it('keeps exponentials of rows that are all masked, or as low as can be', async () => {
    using context = await createContext({
      backend: 'webgpu',
      plan: () => ({ reduce: 'none', lanes: 1, rows: 4, keeps: true }),
    });
    const values = new Float32Array(200).fill(Number.NEGATIVE_INFINITY, 0, 100).fill(-3.4028234663852886e38, 100);
    const p = await softmax(context.tensor(values, [2, 100])).data();
    expect(p.slice(0, 100)).toEqual(new Float32Array(100).fill(Number.NaN));
    expectClose(p.slice(100), new Float64Array(100).fill(0.01), { relative: 1e-6 });
  });

  it('is asked for each call, and refused by the call', async () => {
    const asked: unknown[] = [];
    const plans = [{ reduce: 'barrier', lanes: 4, rows: 2 }, 'nonsense', { reduce: 'none', lanes: 1, rows: 4 }];
    using context = await createContext({
      backend: 'webgpu',
      plan: (request, facts) => {
        asked.push(request, facts.maxInvocations);
        return plans.shift() as Plan;
      },
    });
    const x = context.tensor([
      [
        [1, 2],
        [2, 1],
        [2, 1],
      ],
    ]);
    const first = softmax(x, { axis: 1 });
    expect(first.plan).toBe('softmax/barrier-4x2');
    const request = { kernel: 'softmax', rows: 2, classes: 3, inner: 2, splits: true, keeps: true };
    expect(asked).toEqual([request, context.device!.limits.maxComputeInvocationsPerWorkgroup]);
    const error = await errorOf(() => softmax(x, { axis: 1 }));
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toContain('"plan" gave "nonsense"');
    const last = softmax(x, { axis: 1 });
    expect(last.plan).toBe('softmax/none-1x4');
    expect(await last.data()).toEqual(await first.data());
  });
});

describe('rows in pieces', () => {
  it.each<[string, number, number, number, [number, number][]]>([
    ['all fit, to the byte', 3, 256, 1024, [[0, 3]]],
    [
      'one byte too many, beside what alignment takes',
      3,
      257,
      1024,
      [
        [0, 2],
        [2, 1],
      ],
    ],
    ['what does not grow', 1000, 0, 1024, [[0, 1000]]],
    ['nothing', 0, 100, 1024, []],
    ['nothing that does not grow', 0, 0, 1024, []],
    [
      'one at a time',
      2,
      768,
      1024,
      [
        [0, 1],
        [1, 1],
      ],
    ],
    [
      'one at a time though it may not fit: its binding may begin where alignment takes nothing',
      2,
      1024,
      1024,
      [
        [0, 1],
        [1, 1],
      ],
    ],
  ])('%s', (_, outer, bytes, limit, expected) => {
    expect(chunksOf(outer, bytes, limit).map(({ first, count }) => [first, count])).toEqual(expected);
  });

  it('cover every row once, in order, and as few as the limit allows', () => {
    const sizes = fc.record({
      outer: fc.nat(500),
      bytes: fc.integer({ min: 1, max: 5000 }),
      limit: fc.integer({ min: 512, max: 10_000 }),
    });
    fc.assert(
      fc.property(sizes, ({ outer, bytes, limit }) => {
        const chunks = chunksOf(outer, bytes, limit);
        let next = 0;
        for (const { first, count } of chunks) {
          expect(first).toBe(next);
          expect(count).toBeGreaterThan(0);
          if (count > 1) expect(count * bytes).toBeLessThanOrEqual(limit - 256);
          next += count;
        }
        expect(next).toBe(outer);
        const most = Math.max(1, Math.floor((limit - 256) / bytes));
        expect(chunks.length).toBe(Math.ceil(outer / most));
      }),
    );
  });
});

describe('workgroups in two dimensions', () => {
  it.each([
    [0, [0, 1]],
    [1, [1, 1]],
    [65_535, [65_535, 1]],
    [65_536, [65_535, 2]],
    [131_070, [65_535, 2]],
    [131_071, [65_535, 3]],
  ])('%i', (workgroups, grid) => {
    expect(gridOf(workgroups)).toEqual(grid);
  });

  it('hold all, with less than a line to spare', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.integer({ min: 1, max: 65_535 }), (workgroups, most) => {
        const [x, y] = gridOf(workgroups, most);
        expect(x).toBeLessThanOrEqual(most);
        expect(x * y).toBeGreaterThanOrEqual(workgroups);
        expect(x * (y - 1)).toBeLessThan(Math.max(1, workgroups));
      }),
    );
  });
});

describe('the sizes of pooled buffers', () => {
  it.each([
    [0, 256],
    [256, 256],
    [257, 320],
    [320, 320],
    [321, 384],
    [512, 512],
    [513, 640],
    [2 ** 20, 2 ** 20],
    [2 ** 20 + 1, 1.25 * 2 ** 20],
    [2 ** 31, 2 ** 31],
    [2 ** 32 - 4, 2 ** 32],
  ])('%i bytes', (bytes, size) => {
    expect(pooledSize(bytes)).toBe(size);
  });

  it('hold what is asked, in whole words, with at most a fifth or 1 MiB idle, and four sizes an octave at least', () => {
    fc.assert(
      fc.property(fc.integer({ min: 257, max: 2 ** 33 }), (bytes) => {
        const size = pooledSize(bytes);
        expect(size).toBeGreaterThanOrEqual(bytes);
        expect(size % 4).toBe(0);
        expect((size - bytes) / size).toBeLessThan(0.2);
        expect(size - bytes).toBeLessThan(2 ** 20);
        expect(pooledSize(size)).toBe(size);
        expect(size % Math.min(2 ** 20, 2 ** (Math.floor(Math.log2(size)) - 2))).toBe(0);
      }),
    );
  });
});
