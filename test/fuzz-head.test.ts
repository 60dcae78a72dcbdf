// The head with random sizes, weights, features and options, right and wrong: its answers are those of float64, what it is told wrongly it
// says, its files read back bit for bit, and nothing stays on the device.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  adam,
  adamW,
  ClassificationHead,
  type Context,
  CrossheadError,
  createContext,
  type FitOptions,
  type FitProgress,
  sgd,
} from '../src/index.ts';
import { type Kind, kinds } from './support/fuzz/inputs.ts';
import { counted, holds } from './support/fuzz/run.ts';
import { answersOf, expectAnswers } from './support/heads.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

const sizes = fc.record({
  rows: fc.nat(9),
  depth: fc.integer({ min: 1, max: 6 }),
  classes: fc.integer({ min: 1, max: 7 }),
  activation: fc.constantFrom('softmax' as const, 'sigmoid' as const),
  bias: fc.boolean(),
  seed: fc.nat(2 ** 20),
});
type Sizes = typeof sizes extends fc.Arbitrary<infer T> ? T : never;

const cut = (values: ArrayLike<number>, length: number) =>
  Array.from({ length: values.length / length }, (_, i) => Array.from(values).slice(i * length, (i + 1) * length));
const numbers = (rows: number, columns: number, seed: number, kind: Kind = 'N(0, 1)') =>
  cut(kinds[kind](rows * columns, seed), columns);

/** Anything in the place of anything. */
const junk = fc.constantFrom<unknown>(
  ...[null, -1, 0, 0.5, 3, 1e9, nan, inf, 'x', 'loss', true, [], [1], {}, { length: 2 }, 'balanced'],
);
const orJunk = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 24, arbitrary: arbitrary as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: junk });

/** JSON has neither NaN nor infinities, and inputs must be told as JSON. */
const spelt = (value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? { not: String(value) } : value;
const unspelt = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if ('not' in value) return Number(value.not);
  return Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, unspelt(inner)]));
};

const predictOptions = fc.record(
  {
    topK: orJunk(fc.integer({ min: 1, max: 7 })),
    threshold: orJunk(fc.double({ min: 0, max: 1, noNaN: true })),
    temperature: orJunk(fc.double({ min: 0.1, max: 10, noNaN: true })),
    allow: orJunk(fc.array(fc.oneof(fc.nat(7), fc.constantFrom('0', '1', 'z')), { maxLength: 4 })),
    deny: orJunk(fc.array(fc.oneof(fc.nat(7), fc.constantFrom('0', '1', 'z')), { maxLength: 4 })),
    rejectBelow: orJunk(
      fc.constantFrom(0.2, null, { score: 'probability', below: 0.3 }, { score: 'energy', below: 0 }),
    ),
  },
  { requiredKeys: [] },
);

const fitOptions = fc.record(
  {
    epochs: orJunk(fc.integer({ min: 1, max: 3 })),
    batchSize: orJunk(fc.integer({ min: 1, max: 12 })),
    optimizer: orJunk(fc.constantFrom('sgd', 'adam', 'adamW')),
    loss: orJunk(fc.constantFrom('crossEntropy', 'binaryCrossEntropy', 'distillation')),
    lossOptions: orJunk(
      fc.record(
        {
          labelSmoothing: orJunk(fc.constant(0.1)),
          ignoreIndex: orJunk(fc.constantFrom(-100, 0)),
          zLoss: orJunk(fc.constant(0.01)),
          softcap: orJunk(fc.constant(5)),
          temperature: orJunk(fc.constant(2)),
          posWeight: orJunk(fc.constant(2)),
        },
        { requiredKeys: [] },
      ),
    ),
    classWeights: orJunk(
      fc.oneof(fc.constant('balanced'), fc.array(fc.constantFrom(0, 1, 2), { minLength: 1, maxLength: 7 })),
    ),
    clipNorm: orJunk(fc.constantFrom(0.5, 10)),
    earlyStopping: orJunk(
      fc.record(
        {
          patience: orJunk(fc.constant(1)),
          minDelta: orJunk(fc.constant(0.01)),
          monitor: orJunk(fc.constantFrom('loss', 'accuracy')),
        },
        { requiredKeys: ['patience'] },
      ),
    ),
    validation: orJunk(fc.constant('the examples')),
    warmStart: orJunk(fc.boolean()),
    recover: orJunk(fc.boolean()),
    schedule: orJunk(fc.constantFrom('half', 'nothing', 'NaN')),
    seed: orJunk(fc.nat(9)),
  },
  { requiredKeys: [] },
);

const optimizers = { sgd, adam, adamW };
const schedules = { half: () => 0.5, nothing: () => 0, NaN: () => nan };

/** An error in the words of the documentation, of the function; of fit, also of what its options are handed on to. */
function expectDocumented(error: unknown, ...functions: string[]): void {
  const known = error instanceof CrossheadError || error instanceof TypeError || error instanceof RangeError;
  expect(known, String(error)).toBe(true);
  const { message } = error as Error;
  expect(
    functions.some((fn) => message.startsWith(`${fn}: `)),
    message,
  ).toBe(true);
}

/** Adds up, without the order of the device. */
const near = (a: number, b: number, tolerance: number) =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

describe.each(['cpu', 'webgpu'] as const)('on %s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());
  const runs = backend === 'cpu' ? 40 : 6;

  const make = ({ depth, classes, activation, bias, seed }: Sizes) => {
    const weight = numbers(classes, depth, seed);
    const known = bias ? numbers(1, classes, seed + 1)[0] : undefined;
    return { head: ClassificationHead.fromWeights(context, { weight, bias: known, activation }), weight, bias: known };
  };

  async function leavesNothing(work: () => Promise<void>): Promise<void> {
    const before = context.memory();
    await work();
    await context.finished();
    const { tensors, bytesInUse } = context.memory();
    expect([tensors, bytesInUse]).toEqual([before.tensors, before.bytesInUse]);
  }

  it(`predict on ${backend}`, async () => {
    const inputs = fc.record({
      sizes,
      kind: fc.constantFrom(...(Object.keys(kinds) as Kind[])),
      options: predictOptions.map(spelledOut),
    });
    await holds(
      `predict on ${backend}`,
      inputs,
      ({ sizes, kind, options }) =>
        leavesNothing(async () => {
          const { head, weight, bias } = make(sizes);
          const rows = numbers(sizes.rows, sizes.depth, sizes.seed + 2, kind);
          const given = unspelt(options) as Record<string, unknown>;
          counted.calls++;
          try {
            const lists = await head.predict(rows.length ? rows : new Float32Array(0), given as object);
            expect(lists.length).toBe(rows.length);
            const { allow, deny, topK, threshold, temperature, rejectBelow } = given as {
              allow?: (string | number)[];
              deny?: (string | number)[];
              topK?: number;
              threshold?: number;
              temperature?: number;
              rejectBelow?: unknown;
            };
            const has = (list: (string | number)[], index: number) =>
              list.includes(index) || list.includes(String(index));
            const allowed = (index: number) => (!allow || has(allow, index)) && !(deny && has(deny, index));
            const finite = /N\(|tiny|ties|constant/.test(kind);
            if (!finite || rejectBelow) {
              for (const list of lists) for (const { index } of list) expect(allowed(index)).toBe(true);
            } else {
              const expected = rows.map((row) =>
                answersOf(row, { weight, bias, activation: sizes.activation, temperature, threshold, topK, allowed }),
              );
              // Scores on the threshold's edge, and ties, may fall either way.
              const edge = expected
                .flat()
                .some(
                  ({ score }, i, all) =>
                    (threshold !== undefined && near(score, threshold, 1e-5)) ||
                    (i > 0 && near(score, all[i - 1].score, 1e-5)),
                );
              if (!edge && threshold === undefined) expectAnswers(lists, expected, 2e-5);
            }
          } catch (error) {
            expectDocumented(error, 'predict');
          } finally {
            head.dispose();
          }
        }),
      runs,
    );
  }, 3_600_000);

  it(`evaluate and calibrate on ${backend}`, async () => {
    const inputs = fc.record({
      sizes,
      kind: fc.constantFrom(...(Object.keys(kinds) as Kind[])),
      soft: fc.boolean(),
      ignored: fc.boolean(),
      topK: orJunk(fc.integer({ min: 1, max: 7 })).map(spelt),
    });
    await holds(
      `evaluate and calibrate on ${backend}`,
      inputs,
      ({ sizes, kind, soft, ignored, topK }) =>
        leavesNothing(async () => {
          const { head } = make(sizes);
          const { rows, depth, classes, seed } = sizes;
          const features = new Float32Array(numbers(rows, depth, seed + 2, kind).flat());
          const indices = Int32Array.from({ length: rows }, (_, r) =>
            ignored && r % 3 === 0 ? -100 : (r * 5 + seed) % classes,
          );
          const labels = context.tensor(
            new Float32Array(
              numbers(rows, classes, seed + 3)
                .flat()
                .map((v) => Number(v > 0)),
            ),
            [rows, classes],
          );
          const targets = soft ? labels : indices;
          counted.calls += 3;
          try {
            const report = await head.evaluate(features, targets, { topK: unspelt(topK) as number });
            const of = (value: number) => Number.isNaN(value) || (value >= 0 && value <= 1 + 1e-9);
            for (const share of [report.accuracy, report.topKAccuracy, report.expectedCalibrationError])
              expect(of(share), String(share)).toBe(true);
            expect(report.topKAccuracy >= report.accuracy || soft || Number.isNaN(report.accuracy)).toBe(true);
            if (!soft) {
              const counts = report.perClass.map((_, c) => indices.filter((target) => target === c).length);
              expect(report.perClass.map(({ support }) => support)).toEqual(counts);
              const answered = report.confusion.flat().reduce((a, b) => a + b, 0);
              expect(answered).toBeLessThanOrEqual(indices.filter((target) => target !== -100).length);
            }
          } catch (error) {
            expectDocumented(error, 'evaluate');
          }
          try {
            const { temperature, before, after } = await head.calibrate(features, targets);
            expect(temperature > 0 && temperature < 1001, `temperature ${temperature}`).toBe(true);
            expect(after <= before * (1 + 1e-6) + 1e-6, `${before} to ${after}`).toBe(true);
          } catch (error) {
            expectDocumented(error, 'calibrate');
          }
          try {
            const { below } = await head.fitRejection(features, {});
            expect(Number.isNaN(below)).toBe(false);
          } catch (error) {
            expectDocumented(error, 'fitRejection');
          }
          labels.dispose();
          head.dispose();
        }),
      runs,
    );
  }, 3_600_000);

  it(`fit on ${backend}`, async () => {
    const inputs = fc.record({ sizes, soft: fc.boolean(), options: fitOptions.map(spelledOut) });
    await holds(
      `fit on ${backend}`,
      inputs,
      ({ sizes, soft, options }) =>
        leavesNothing(async () => {
          const { head } = make(sizes);
          const { rows, depth, classes, seed } = sizes;
          const features = numbers(rows, depth, seed + 2);
          const indices = features.map((_, r) => (r * 5 + seed) % classes);
          const targets = soft ? numbers(rows, classes, seed + 3).map((row) => row.map((v) => Number(v > 0))) : indices;
          const given = unspelt(options) as Record<string, unknown>;
          const named = (of: object, name: unknown) =>
            typeof name === 'string' && Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : name;
          const make_ = named(optimizers, given.optimizer);
          const optimizer = typeof make_ === 'function' ? make_({ learningRate: 0.05 }) : make_;
          const progress: FitProgress[] = [];
          const whole = {
            ...given,
            ...('optimizer' in given ? { optimizer } : {}),
            ...('schedule' in given ? { schedule: named(schedules, given.schedule) } : {}),
            ...('validation' in given
              ? { validation: given.validation === 'the examples' ? { features, targets } : given.validation }
              : {}),
            onProgress: (one: FitProgress) => progress.push(one),
          } as FitOptions;
          counted.calls++;
          try {
            const { epochs, bestEpoch } = await head.fit(features, targets, whole);
            expect(epochs.length).toBeLessThanOrEqual(whole.epochs ?? 10);
            expect(progress.length).toBeGreaterThanOrEqual(epochs.length);
            progress.forEach(({ step, steps }, i) => {
              expect(step > 0 && step <= steps && (i === 0 || step >= progress[i - 1].step)).toBe(true);
            });
            if (bestEpoch !== undefined) expect(bestEpoch).toBeLessThanOrEqual(epochs.length);
            const healthy =
              given.schedule !== 'NaN' && !JSON.stringify(given).includes('1e9') && !('lossOptions' in given);
            if (healthy) expect((await head.weight.data()).every(Number.isFinite)).toBe(true);
          } catch (error) {
            expectDocumented(
              error,
              'fit',
              'crossEntropy',
              'binaryCrossEntropy',
              'klDivergence',
              'sgd',
              'adam',
              'adamW',
            );
          }
          (optimizer as { dispose?(): void } | null | undefined)?.dispose?.();
          head.dispose();
        }),
      runs / 2,
    );
  }, 3_600_000);

  it(`save and load on ${backend}`, async () => {
    const inputs = fc.record({
      sizes,
      kind: fc.constantFrom(...(Object.keys(kinds) as Kind[])),
      labels: fc.array(fc.string(), { minLength: 7, maxLength: 7 }),
      temperature: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      half: fc.boolean(),
    });
    await holds(
      `save and load on ${backend}`,
      inputs,
      ({ sizes, kind, labels, temperature, half }) =>
        leavesNothing(async () => {
          const { depth, classes, seed, activation, bias } = sizes;
          const weight = context.tensor(kinds[kind](classes * depth, seed), [classes, depth], {
            dtype: half ? 'float16' : 'float32',
          });
          const parts = {
            weight,
            bias: bias ? kinds[kind](classes, seed + 1) : undefined,
            labels: labels.slice(0, classes),
            activation,
          };
          const head = ClassificationHead.fromWeights(context, parts);
          head.temperature = temperature;
          counted.calls += 2;
          const again = await ClassificationHead.load(context, await head.save());
          const bits = (values: ArrayBufferView) => [
            ...new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4),
          ];
          expect(bits(await again.weight.data())).toEqual(bits(await head.weight.data()));
          if (bias) expect(bits(await again.bias!.data())).toEqual(bits(await head.bias!.data()));
          expect([again.labels, again.activation, again.temperature, again.weight.dtype]).toEqual([
            head.labels,
            activation,
            temperature,
            weight.dtype,
          ]);
          for (const one of [head, again, weight]) one.dispose();
        }),
      runs,
    );
  }, 3_600_000);
});

function spelledOut(options: object): object {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null && !Array.isArray(value) ? spelledOut(value) : spelt(value),
    ]),
  );
}

afterAll(() => console.log(`${counted.calls} calls of heads`));
