// Plans by measurement: which are tried, how one is chosen, and what becomes of it.
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Context, createContext, crossEntropy, type Plan, softmax, type Tensor } from '../src/index.ts';
import { checkPlan, defaultPlan, type Facts, planName } from '../src/webgpu/plan.ts';
import { candidatePlans, fastest } from '../src/webgpu/tune.ts';
import { expectClose } from './support/close.ts';
import { countCalls, pretendedDevice } from './support/device.ts';
import { errorOf } from './support/errors.ts';
import { normal } from './support/random.ts';
import * as reference from './support/reference.ts';

describe('candidates', () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 2 ** 20 }));
  const request = fc.record({ kernel: fc.constant('k'), rows: size, classes: size, inner: size, splits: fc.boolean() });
  const facts = fc
    .record({ small: fc.nat(6), more: fc.nat(3), subgroups: fc.boolean(), maxInvocations: fc.nat(900) })
    .map(({ small, more, subgroups, maxInvocations }): Facts => {
      const minSubgroup = 4 * 2 ** small;
      const maxSubgroup = Math.min(128, minSubgroup * 2 ** more);
      return { software: false, subgroups, minSubgroup, maxSubgroup, maxInvocations: 128 + maxInvocations };
    });
  const first: Plan = { reduce: 'none', lanes: 1, rows: 64 };

  it('can all be run, differ, and begin with the default', () => {
    const names = new Set<string>();
    fc.assert(
      fc.property(request, facts, (request, facts) => {
        let base = first;
        try {
          base = checkPlan(defaultPlan(request, facts), facts);
        } catch {
          // the default plan has tests of its own
        }
        const plans = candidatePlans(base, request, facts);
        expect(plans[0]).toBe(base);
        expect(plans.length).toBeLessThanOrEqual(7);
        for (const plan of plans) {
          expect(checkPlan(plan, facts)).toBe(plan);
          if (!request.splits) expect(plan.strips ?? 1).toBe(base.strips ?? 1);
        }
        expect(new Set(plans.map((plan) => planName('k', plan))).size).toBe(plans.length);
        for (const { reduce } of plans) names.add(reduce);
        expect(candidatePlans(base, request, { ...facts, software: true })).toEqual([base]);
      }),
    );
    expect([...names].sort()).toEqual(['barrier', 'none', 'shuffle', 'subgroup']);
  });

  it('never leave a long row to one invocation, nor a short one to many', () => {
    const long = { kernel: 'k', rows: 64, classes: 100_000, inner: 1 };
    const facts: Facts = { software: false, subgroups: false, maxInvocations: 256 };
    for (const { lanes } of candidatePlans(defaultPlan(long, facts), long, facts)) expect(lanes).toBeGreaterThan(128);
    const short = { ...long, classes: 10 };
    for (const { lanes } of candidatePlans(first, short, facts)) expect(lanes).toBe(1);
  });
});

describe('the choice', () => {
  /** Candidates whose calls take so many milliseconds; a wait takes 0.3. What was run is logged. */
  function lab(milliseconds: (calls: number, before: number) => number[]) {
    const log: { candidate: number; calls: number; taken: number }[] = [];
    const time = async (candidate: number, calls: number) => {
      const taken = 0.3 + calls * milliseconds(calls, log.length)[candidate];
      log.push({ candidate, calls, taken });
      return taken;
    };
    return { log, time, spent: () => log.reduce((sum, { taken }) => sum + taken, 0) };
  }
  const steady = (...milliseconds: number[]) => lab(() => milliseconds);

  it.each<[string, number[], number]>([
    ['the fastest', [0.4, 0.3, 0.2, 0.3], 2],
    ['the default where it is the fastest', [0.2, 0.4, 0.3], 0],
    ['the default where another is not 5 % faster', [1, 0.96, 0.97], 0],
    ['the default where there is nothing else', [1], 0],
    ['the default of calls that take no time', [0, 0], 0],
    ['another where the default is hopeless', [3, 0.2], 1],
  ])('is %s', async (_, milliseconds, index) => {
    const { time } = steady(...milliseconds);
    expect(await fastest(milliseconds.length, time, 1000)).toMatchObject({ index });
  });

  it('drops after its probe what takes four times the best', async () => {
    const { time, log } = steady(1, 0.8, 6, 0.9);
    expect(await fastest(4, time, 1000)).toMatchObject({ index: 1 });
    expect(log.filter(({ candidate }) => candidate === 2)).toEqual([{ candidate: 2, calls: 1, taken: 6.3 }]);
  });

  it('is not for another that is faster in the least or in the median alone', async () => {
    // The fourth batch of candidate 1 is very fast, all others of it as fast as the default's.
    let batches = 0;
    const lucky = lab((calls) => [0.4, calls > 1 && ++batches === 8 ? 0.1 : 0.4]);
    expect(await fastest(2, lucky.time, 1000)).toMatchObject({ index: 0 });
    // The default is disturbed but once.
    batches = 0;
    const disturbed = lab((calls) => [calls > 1 && ++batches !== 1 ? 0.8 : 0.4, 0.4]);
    expect(await fastest(2, disturbed.time, 1000)).toMatchObject({ index: 0 });
  });

  it('does not follow what a pipeline costs at its first use', async () => {
    const seen = new Set<number>();
    const { time } = steady(0.4, 0.3);
    const first = async (candidate: number, calls: number) => {
      const late = calls > 0 && !seen.has(candidate) ? 3 : 0;
      if (calls > 0) seen.add(candidate);
      return late + (await time(candidate, calls));
    };
    expect(await fastest(2, first, 1000)).toMatchObject({ index: 1 });
  });

  it('takes batches of two milliseconds, candidates in turn', async () => {
    const { time, log } = steady(0.1, 0.1, 0.1);
    await fastest(3, time, 1000);
    const batches = log.filter(({ calls }) => calls > 1);
    expect(batches.map(({ candidate }) => candidate).join('')).toBe('012'.repeat(5));
    for (const { taken } of batches) expect(taken).toBeGreaterThanOrEqual(2);
  });

  it('keeps to the budget but for one batch, and decides nothing where it ends', async () => {
    const times = fc.array(fc.double({ min: 0.01, max: 30, noNaN: true }), { minLength: 1, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(times, fc.double({ min: 0.1, max: 200, noNaN: true }), async (milliseconds, budget) => {
        const { time, log, spent } = steady(...milliseconds);
        const found = await fastest(milliseconds.length, time, budget);
        const last = log[log.length - 1].taken;
        expect(spent()).toBeLessThan(budget + last + 1e-9);
        if (!found) expect(spent()).toBeGreaterThanOrEqual(budget - 1e-9);
        else expect(milliseconds[found.index]).toBeLessThanOrEqual(milliseconds[0]);
      }),
    );
  });

  it('suffices in the usual budget for seven candidates of a twentieth of a millisecond, or of four', async () => {
    expect(await fastest(7, steady(...Array(7).fill(0.05)).time, 100)).not.toBeNull();
    expect(await fastest(7, steady(...Array(7).fill(4)).time, 100)).not.toBeNull();
  });

  it('ends with what the measuring throws', async () => {
    const { time } = steady(1, 1);
    let left = 5;
    const failing = (candidate: number, calls: number) =>
      left-- > 0 ? time(candidate, calls) : Promise.reject(new Error('over'));
    await expect(fastest(2, failing, 1000)).rejects.toThrow('over');
  });
});

interface Bench {
  readonly device: GPUDevice;
  readonly context: Context;
  readonly x: Tensor;
}
const unique = () => `pretended-${Math.random()}`;
/** Sixty-four short rows, whose candidates compile fast. */
async function bench(architecture = unique()): Promise<Bench> {
  const device = await pretendedDevice(architecture);
  const context = await createContext({ device });
  return { device, context, x: context.tensor(normal(640), [64, 10]) };
}
const planOf = (x: Tensor) => {
  const p = softmax(x);
  p.dispose();
  return p.plan;
};
/** As a call's plan is named, without its kernel. */
const shapeOf = (plan: string) => plan.slice(plan.indexOf('/'));

/** A clock that calls move: all plans take 2 ms, but `favourite` takes 1. */
function stubClock(favourite = '/none-1x128-held3') {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  return (...results: Tensor[]) => {
    for (const { plan } of results) now += shapeOf(plan) === favourite ? 1 : 2;
  };
}

describe('tune', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it('takes what it found from then on, changes no result, and measures nothing twice', async () => {
    const { device, context, x: unused } = await bench();
    unused.dispose(); // or it comes back when it is collected, in the midst of counting
    const [shape, logits, targets] = [[6, 40], normal(240), [0, 1, 2, 3, 4, 39]];
    const x = context.tensor(logits, shape);
    const favourite = '/none-1x64-held10';
    const pass = stubClock(favourite);
    const calls = () => pass(softmax(x), crossEntropy(x, targets, { gradient: true }).gradient!);
    const before = planOf(x);
    const { tensors } = context.memory();
    const plans = new Set<string>();
    const watch = setInterval(() => plans.add(planOf(x)), 50); // the page goes on meanwhile
    const report = await context.tune(calls, { budget: 500 });
    clearInterval(watch);
    expect(context.memory().tensors).toBe(tensors);
    expect(report.tuned.map(({ kernel }) => kernel)).toEqual(['softmax', 'cross_entropy']);
    for (const { kernel, plan, defaultPlan, ...rest } of report.tuned) {
      expect(planName('', plan)).toBe(favourite);
      expect(planName(kernel, defaultPlan)).toBe(`${kernel}${shapeOf(before)}`);
      expect(rest).toMatchObject({ rows: 6, classes: 40, inner: 1, outcome: 'measured' });
    }
    // Of both calls, the second when the first was tuned.
    expect(report.tuned.map(({ milliseconds }) => milliseconds)).toEqual([
      { plan: 3, defaultPlan: 4 },
      { plan: 2, defaultPlan: 3 },
    ]);
    const after = `softmax${favourite}`;
    expect(planOf(x)).toBe(after);
    expect([before, after]).toEqual(expect.arrayContaining([...plans]));

    expectClose(await softmax(x).data(), reference.softmax(logits, shape), { relative: 2e-6, absolute: 1e-7 });
    const expected = reference.crossEntropy(logits, shape, targets);
    const { loss, gradient } = crossEntropy(x, targets, { gradient: true });
    expect(gradient!.plan).toBe(`cross_entropy${favourite}`);
    expectClose(await loss.data(), expected.loss, { relative: 2e-6 });
    expectClose(await gradient!.data(), expected.gradient, { relative: 5e-6, absolute: 1e-7 });
    // About as many rows are the same case; other operands are another.
    expect(planOf(context.tensor(normal(280), [7, 40]))).toBe(after);
    expect(planOf(context.tensor(logits, shape, { dtype: 'float16' }))).toBe(before);

    const counts = countCalls(device);
    const again = await context.tune(calls, { budget: 500 });
    expect(counts).toMatchObject({ submit: 0, createComputePipelineAsync: 0 });
    expect(again.tuned.map(({ plan }) => plan)).toEqual(report.tuned.map(({ plan }) => plan));
    expect(again.reason).toBe('0 measured, 2 known, 0 undecided within the budget.');
    device.destroy();
  });

  it('tells the real time', async () => {
    const { device, context, x } = await bench();
    const start = performance.now();
    const { tuned } = await context.tune(() => softmax(x), { budget: 60_000 });
    const { plan, defaultPlan } = tuned[0].milliseconds!;
    expect(defaultPlan).toBeGreaterThan(0);
    expect(plan).toBeLessThanOrEqual(defaultPlan);
    expect(10 * defaultPlan).toBeLessThan(performance.now() - start); // five batches, of two candidates at least
    expect(planOf(x)).toBe(planName('softmax', tuned[0].plan));
    device.destroy();
  });

  it('decides nothing that the budget does not suffice for, and goes on at the next call', async () => {
    const { device, context, x } = await bench();
    const pass = stubClock();
    const before = planOf(x);
    const { tuned, reason } = await context.tune(() => pass(softmax(x)), { budget: 5 });
    expect(tuned).toMatchObject([{ outcome: 'undecided', plan: tuned[0].defaultPlan, milliseconds: undefined }]);
    expect(reason).toMatch('1 undecided');
    expect(planOf(x)).toBe(before);
    const next = await context.tune(() => pass(softmax(x)));
    expect(next.tuned).toMatchObject([{ outcome: 'measured', plan: { rows: 128 } }]);
    device.destroy();
  });

  it('ends with the reason of its signal, and leaves the default; two at once take turns', async () => {
    const { device, context, x } = await bench();
    const pass = stubClock();
    const before = planOf(x);
    const controller = new AbortController();
    const { signal } = controller;
    let made = 0;
    const calls = () => {
      pass(softmax(x));
      if (++made === 8) controller.abort(new Error('enough'));
    };
    await expect(context.tune(calls, { signal })).rejects.toThrow('enough');
    expect(made).toBe(8);
    expect(planOf(x)).toBe(before);
    expect(context.memory().tensors).toBe(1);
    await expect(context.tune(calls, { signal })).rejects.toThrow('enough');
    expect(made).toBe(8);
    const both = await Promise.all([context.tune(calls), context.tune(calls)]);
    expect(both.map(({ tuned }) => tuned[0].outcome)).toEqual(['measured', 'known']);
    device.destroy();
  });

  it('passes errors of the calls on, and leaves out plans that do not compile', async () => {
    const { device, context, x } = await bench();
    const pass = stubClock();
    const fail = () => {
      softmax(x);
      throw new Error('mine');
    };
    expect(await errorOf(context.tune(fail))).toEqual(new Error('mine'));
    expect(context.memory().tensors).toBe(1);
    const compile = device.createComputePipelineAsync.bind(device);
    let refused = 0;
    device.createComputePipelineAsync = (descriptor) => {
      if (descriptor.compute.constants!.WORKGROUP !== 128) return compile(descriptor);
      refused++;
      return Promise.reject(new Error('no such pipeline'));
    };
    const { tuned } = await context.tune(() => pass(softmax(x)));
    expect(refused).toBe(1);
    expect(tuned).toMatchObject([{ outcome: 'measured', plan: tuned[0].defaultPlan }]);
    device.destroy();
    await expect(context.tune(() => softmax(context.tensor(normal(90), [9, 10])))).rejects.toThrow(/lost/);
  });

  it.each<[string, () => unknown]>([
    ['refuses', () => errorThrown()],
    ['never answers', () => ({})],
  ])('lasts as long as the context where the store %s', async (_, open) => {
    vi.stubGlobal('indexedDB', { open });
    const { device, context, x } = await bench();
    const pass = stubClock();
    for (const outcome of ['measured', 'known']) {
      expect((await context.tune(() => pass(softmax(x)))).tuned).toMatchObject([{ outcome, plan: { rows: 128 } }]);
    }
    device.destroy();
  });

  it.runIf('indexedDB' in globalThis)('is kept for later contexts on the same adapter', async () => {
    const architecture = unique();
    const pass = stubClock();
    const tuneOn = async (name: string) => {
      const { device, context, x } = await bench(name);
      const counts = countCalls(device);
      const { tuned } = await context.tune(() => pass(softmax(x)));
      const used = planOf(x);
      device.destroy();
      return { ...tuned[0], used, submits: counts.submit, blocking: counts.createComputePipeline };
    };
    const plan = { reduce: 'none', lanes: 1, rows: 128, held: 3 };
    expect(await tuneOn(architecture)).toMatchObject({ outcome: 'measured', plan });
    const used = 'softmax/none-1x128-held3';
    // The one submit is planOf's.
    expect(await tuneOn(architecture)).toMatchObject({ outcome: 'known', plan, used, submits: 1, blocking: 0 });
    expect(await tuneOn(unique())).toMatchObject({ outcome: 'measured' });
    expect(await tuneOn('')).toMatchObject({ outcome: 'measured' });
  });

  it.each<[string, () => Promise<Context>, RegExp]>([
    ['on the CPU', () => createContext({ backend: 'cpu' }), /CPU/],
    [
      'on a software adapter',
      async () => {
        const device = await pretendedDevice('SwiftShader');
        return createContext({ device });
      },
      /software/,
    ],
    [
      'with a plan that was given',
      async () => createContext({ device: await pretendedDevice('any'), plan: defaultPlan }),
      /createContext was given/,
    ],
  ])('measures nothing %s', async (_, create, reason) => {
    const context = await create();
    const calls = vi.fn();
    const report = await context.tune(calls, { budget: 500 });
    expect(report).toEqual({ tuned: [], reason: expect.stringMatching(reason) });
    expect(calls).not.toHaveBeenCalled();
    context.device?.destroy();
  });

  it('says so where there is nothing to choose', async () => {
    const { device, context } = await bench();
    expect(await context.tune(() => null)).toEqual({ tuned: [], reason: 'The calls leave nothing to choose.' });
    device.destroy();
  });

  it.each<[unknown, unknown, Error]>([
    [7, {}, new TypeError('context.tune: takes a function that makes the calls, got 7')],
    [() => 0, { time: 1 }, new TypeError('context.tune: unknown option "time"; it takes budget, signal')],
    [() => 0, { budget: 0 }, new RangeError('context.tune: "budget" must be a positive finite number, got 0')],
    [() => 0, { budget: '1' }, new TypeError('context.tune: "budget" must be a positive finite number, got "1"')],
    [() => 0, { signal: {} }, new TypeError('context.tune: "signal" must be an AbortSignal, got Object')],
    [() => 0, { signal: AbortSignal.abort(new Error('enough')) }, new Error('enough')],
  ])('refuses %s with %j', async (calls, options, error) => {
    using context = await createContext({ backend: 'cpu' });
    expect(await errorOf(context.tune(calls as never, options as never))).toEqual(error);
  });
});

function errorThrown(): never {
  throw new DOMException('denied', 'SecurityError');
}
