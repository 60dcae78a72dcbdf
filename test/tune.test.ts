// Plans by measurement: which are tried, how one is chosen, and what becomes of it.
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Context, createContext, crossEntropy, type Plan, softmax, type Tensor } from '../src/index.ts';
import { isSoftware } from '../src/webgpu/device.ts';
import { checkPlan, defaultPlan, type Facts, planName } from '../src/webgpu/plan.ts';
import { candidatePlans, fastest } from '../src/webgpu/tune.ts';
import { expectClose } from './support/close.ts';
import { countCalls, pretendedDevice, requestAdapter } from './support/device.ts';
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

  it('suffices in the usual budget for seven candidates of a twentieth of a millisecond, or of three', async () => {
    expect(await fastest(7, steady(...Array(7).fill(0.05)).time, 100)).not.toBeNull();
    expect(await fastest(7, steady(...Array(7).fill(3)).time, 100)).not.toBeNull();
  });

  it('ends with what the measuring throws', async () => {
    const { time } = steady(1, 1);
    let left = 5;
    const failing = (candidate: number, calls: number) =>
      left-- > 0 ? time(candidate, calls) : Promise.reject(new Error('over'));
    await expect(fastest(2, failing, 1000)).rejects.toThrow('over');
  });
});

const shape = [6, 40];
const logits = normal(240);
const targets = [0, 1, 2, 3, 4, 39];
/** Much, since SwiftShader may take long. */
const budget = 20_000;

interface Bench {
  readonly device: GPUDevice;
  readonly context: Context;
  readonly x: Tensor;
}
const unique = () => `pretended-${Math.random()}`;
async function bench(architecture = unique()): Promise<Bench> {
  const device = await pretendedDevice(architecture);
  const context = await createContext({ device });
  return { device, context, x: context.tensor(logits, shape) };
}
const planOf = (x: Tensor) => {
  const p = softmax(x);
  p.dispose();
  return p.plan;
};

describe('tune', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('takes what it found from then on, changes no result, and measures nothing twice', async () => {
    const { device, context, x } = await bench();
    const calls = () => {
      softmax(x);
      crossEntropy(x, targets, { gradient: true });
    };
    const before = planOf(x);
    const { tensors } = context.memory();
    const plans = new Set<string>();
    const tuning = context.tune(calls, { budget });
    const watch = setInterval(() => plans.add(planOf(x)), 20); // the page goes on meanwhile
    const report = await tuning;
    clearInterval(watch);
    expect(context.memory().tensors).toBe(tensors);
    const own = report.tuned.find(({ kernel }) => kernel === 'softmax')!;
    expect(own).toMatchObject({ rows: 6, classes: 40, inner: 1, outcome: 'measured' });
    expect(report.tuned.map(({ kernel }) => kernel)).toContain('cross_entropy');
    expect(planName('softmax', own.defaultPlan)).toBe(before);
    const after = planName('softmax', own.plan);
    // Barriers cost a software adapter far more than they may be worth.
    if (isSoftware((await requestAdapter()).info)) expect(own.plan.reduce).toBe('none');
    expect(own.milliseconds!.plan).toBeLessThanOrEqual(own.milliseconds!.defaultPlan);
    expect(planOf(x)).toBe(after);
    expect([before, after]).toEqual(expect.arrayContaining([...plans]));

    expectClose(await softmax(x).data(), reference.softmax(logits, shape), { relative: 2e-6, absolute: 1e-7 });
    const expected = reference.crossEntropy(logits, shape, targets);
    const { loss, gradient } = crossEntropy(x, targets, { gradient: true });
    expectClose(await loss.data(), expected.loss, { relative: 2e-6 });
    expectClose(await gradient!.data(), expected.gradient, { relative: 5e-6, absolute: 1e-7 });
    // About as many rows; other classes, and other operands, are other cases.
    expect(planOf(context.tensor(normal(280), [7, 40]))).toBe(after);
    const half = context.tensor(logits, shape, { dtype: 'float16' });
    expect(planOf(half)).toBe(before);

    const counts = countCalls(device);
    const again = await context.tune(calls, { budget });
    expect(counts).toMatchObject({ submit: 0, createComputePipelineAsync: 0 });
    expect(again.tuned.map(({ plan }) => plan)).toEqual(report.tuned.map(({ plan }) => plan));
    expect(new Set(again.tuned.map(({ outcome }) => outcome))).toEqual(new Set(['known']));
    expect(again.reason).toMatch(/^0 measured, \d known, 0 undecided/);
    device.destroy();
  });

  it('decides nothing that the budget does not suffice for, and goes on at the next call', async () => {
    const { device, context, x } = await bench();
    const before = planOf(x);
    const { tuned } = await context.tune(() => softmax(x), { budget: 0.001 });
    expect(tuned).toMatchObject([{ outcome: 'undecided', plan: tuned[0].defaultPlan }]);
    expect(planOf(x)).toBe(before);
    const next = await context.tune(() => softmax(x), { budget });
    expect(next.tuned).toMatchObject([{ outcome: 'measured' }]);
    device.destroy();
  });

  it('ends with the reason of its signal, and leaves the default', async () => {
    const { device, context, x } = await bench();
    const before = planOf(x);
    const controller = new AbortController();
    let made = 0;
    const calls = () => {
      softmax(x);
      if (++made === 20) controller.abort(new Error('enough'));
    };
    await expect(context.tune(calls, { budget, signal: controller.signal })).rejects.toThrow('enough');
    expect(planOf(x)).toBe(before);
    expect(context.memory().tensors).toBe(1);
    made = 100;
    await expect(context.tune(calls, { signal: controller.signal })).rejects.toThrow('enough');
    expect(made).toBe(100);
    // Two at once take turns.
    const [one, two] = await Promise.all([context.tune(calls, { budget }), context.tune(calls, { budget })]);
    expect([one, two].map(({ tuned }) => tuned[0].outcome)).toEqual(['measured', 'known']);
    device.destroy();
  });

  it('passes errors of the calls on, and leaves out plans that do not compile', async () => {
    const { device, context, x } = await bench();
    const before = planOf(x);
    const fail = () => {
      softmax(x);
      throw new Error('mine');
    };
    expect(await errorOf(context.tune(fail))).toEqual(new Error('mine'));
    expect(context.memory().tensors).toBe(1);
    const compile = device.createComputePipelineAsync.bind(device);
    let refused = 0;
    device.createComputePipelineAsync = (descriptor) => {
      if (descriptor.compute.constants!.LANES !== 1) return compile(descriptor);
      refused++;
      return Promise.reject(new Error('no such pipeline'));
    };
    const { tuned } = await context.tune(() => softmax(x), { budget });
    expect(refused).toBeGreaterThan(0);
    expect(tuned[0].outcome).toBe('measured');
    expect(tuned[0].plan.lanes).toBeGreaterThan(1);
    expect(planName('softmax', tuned[0].defaultPlan)).toBe(before);
    device.destroy();
    await expect(context.tune(() => softmax(context.tensor(logits.slice(40), [5, 40])))).rejects.toThrow(/lost/);
  });

  it.each<[string, () => unknown]>([
    ['refuses', () => errorThrown()],
    ['never answers', () => ({})],
  ])('lasts as long as the context where the store %s', async (_, open) => {
    vi.stubGlobal('indexedDB', { open });
    const { device, context, x } = await bench();
    for (const outcome of ['measured', 'known']) {
      expect((await context.tune(() => softmax(x), { budget })).tuned).toMatchObject([{ outcome }]);
    }
    device.destroy();
  });

  it.runIf('indexedDB' in globalThis)('is kept for later contexts on the same adapter', async () => {
    const architecture = unique();
    const tuneOn = async (name: string) => {
      const { device, context, x } = await bench(name);
      const counts = countCalls(device);
      const { tuned } = await context.tune(() => softmax(x), { budget });
      const used = planOf(x);
      device.destroy();
      return { own: tuned[0], used, submits: counts.submit, blocking: counts.createComputePipeline };
    };
    const first = await tuneOn(architecture);
    expect(first.own.outcome).toBe('measured');
    const second = await tuneOn(architecture);
    expect(second.own).toMatchObject({ outcome: 'known', plan: first.own.plan });
    expect(second).toMatchObject({ used: first.used, submits: 1, blocking: 0 }); // the one of planOf
    expect((await tuneOn(unique())).own.outcome).toBe('measured');
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
    const report = await context.tune(calls);
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
  ])('refuses %s with %j', async (calls, options, error) => {
    using context = await createContext({ backend: 'cpu' });
    expect(await errorOf(context.tune(calls as never, options as never))).toEqual(error);
  });
});

function errorThrown(): never {
  throw new DOMException('denied', 'SecurityError');
}
