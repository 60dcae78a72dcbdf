// Training a head, on both backends: what it learns, that it is the same each time, and how it ends.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { settingsOf } from '../src/head/fit-options.ts';
import {
  adam,
  ClassificationHead,
  type Context,
  createContext,
  type FitProgress,
  focalLoss,
  linear,
  type Optimizer,
  sgd,
  type Tensor,
} from '../src/index.ts';
import golden from './golden/training.json';
import { expectClose } from './support/close.ts';
import { requestDevice } from './support/device.ts';

import { errorOf } from './support/heads.ts';
import { normal } from './support/random.ts';

/** Points around three corners. */
function corners(count: number, seed: number) {
  const noise = normal(count * 4, { seed, sigma: 0.6 });
  const targets = Array.from({ length: count }, (_, i) => i % 3);
  const features = targets.map((target, i) =>
    [0, 1, 2, 3].map((d) => Math.fround(noise[4 * i + d] + (d === target ? 2 : 0))),
  );
  return { features, targets };
}
const training = corners(40, 1);
const held = corners(20, 2);
const oneHot = (targets: number[]) => targets.map((target) => [0, 1, 2].map((c) => (c === target ? 1 : 0)));
const newHead = (context: Context, options: object = {}) =>
  ClassificationHead.create(context, { features: 4, labels: ['a', 'b', 'c'], ...options });

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());
  afterEach(() => expect(context.memory().tensors).toBe(0));

  test('create begins as torch.nn.Linear does, the same for a seed', async () => {
    using a = newHead(context, { seed: 3 });
    using b = newHead(context, { seed: 3 });
    using c = newHead(context, { seed: 4 });
    const weights = await a.weight.data();
    expect(weights).toEqual(await b.weight.data());
    expect(weights).not.toEqual(await c.weight.data());
    expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(0.5);
    expect(Math.max(...weights.map(Math.abs))).toBeGreaterThan(0.35);
    expect(a.labels).toEqual(['a', 'b', 'c']);
    expect(() => ClassificationHead.create(context, { features: 4 })).toThrow(
      new TypeError('ClassificationHead.create: "classes" must be an integer from 1, got undefined'),
    );
  });

  test('fit walks as PyTorch does', async () => {
    const { features, targets, weight, bias } = golden.head;
    const [{ options, path }] = golden.heads;
    using head = ClassificationHead.fromWeights(context, { weight, bias });
    const optimizer = sgd(options as Parameters<typeof sgd>[0]);
    await head.fit(features, targets, { epochs: 50, batchSize: 12, optimizer });
    optimizer.dispose();
    expectClose(await head.weight.data(), path[5].weight, { relative: 1e-5 });
  });

  test('the same seed gives the same curve; labels, tensors and a schedule will do', async () => {
    const curve = async (seed: number, given: object = {}, targets: unknown = training.targets) => {
      using head = newHead(context);
      const { epochs } = await head.fit(training.features, targets as number[], {
        epochs: 2,
        batchSize: 16,
        seed,
        ...given,
      });
      return epochs;
    };
    const first = await curve(5);
    expect(await curve(5)).toEqual(first);
    expect(
      await curve(
        5,
        {},
        training.targets.map((target) => 'abc'[target]),
      ),
    ).toEqual(first);
    using indices = context.tensor(Int32Array.from(training.targets));
    expect(await curve(5, {}, indices)).toEqual(first);
    expect(await curve(6)).not.toEqual(first);
    const still = await curve(5, { schedule: () => 0 });
    expect(await curve(5, { schedule: () => 0 })).toEqual(still);
    expect(still[0].loss).toBeCloseTo(still[1].loss, 5);
    expect((await curve(5, { clipNorm: 1e-9, optimizer: sgd({ learningRate: 1 }) }))[1].loss).toBeCloseTo(
      still[0].loss,
      5,
    );
  });

  test('progress never goes back and comes at each epoch; validation; class weights', async () => {
    using head = newHead(context);
    const told: FitProgress[] = [];
    const optimizer = adam({ learningRate: 0.1 });
    const history = await head.fit(training.features, training.targets, {
      epochs: 3,
      batchSize: 16,
      optimizer,
      validation: held,
      classWeights: 'balanced',
      schedule: (step, steps) => 1 - step / steps,
      onProgress: (progress) => told.push(progress),
    });
    expect(optimizer.learningRate).toBe(0.1);
    optimizer.dispose();
    expect(told.map(({ step }) => step)).toEqual([...told.map(({ step }) => step)].sort((a, b) => a - b));
    for (const epoch of [1, 2, 3]) expect(told.some((p) => p.epoch === epoch && p.step === 3 * epoch)).toBe(true);
    const last = told[told.length - 1];
    expect(last).toMatchObject({ epoch: 3, epochs: 3, step: 9, steps: 9, secondsLeft: 0 });
    expect(last.rowsPerSecond).toBeGreaterThan(0);
    expect(history.epochs.length).toBe(3);
    expect(last).toMatchObject(history.epochs[2]); // validation too
    expect(history.epochs[2].loss).toBeLessThan(history.epochs[0].loss);
    const { loss, accuracy } = await head.evaluate(held.features, held.targets);
    expect(history.epochs[2].validationAccuracy).toBeCloseTo(accuracy, 6);
    expect(history.epochs[2].validationLoss! / loss).toBeGreaterThan(0.9);
    expect(accuracy).toBeGreaterThan(0.8);
  });

  test('rows that are ignored change nothing', async () => {
    const run = async (features: number[][], targets: number[]) => {
      using head = newHead(context);
      const { epochs } = await head.fit(features, targets, {
        epochs: 1,
        batchSize: 99,
        optimizer: sgd({ learningRate: 1 }),
      });
      return { ...epochs[0], weight: [...(await head.weight.data())] };
    };
    const whole = await run(
      training.features,
      training.targets.map((target, i) => (i < 30 ? target : -100)),
    );
    const part = await run(training.features.slice(0, 30), training.targets.slice(0, 30));
    expect(whole.accuracy).toBe(part.accuracy);
    expectClose(whole.weight, part.weight, { relative: 1e-4, absolute: 1e-6 });
  });

  test("sigmoid heads, distillation, and a loss of one's own", async () => {
    using many = newHead(context, { activation: 'sigmoid' });
    const optimizer = () => adam({ learningRate: 0.2 });
    const labels = oneHot(training.targets);
    const learned = async (head: ClassificationHead, targets: unknown, options: object) => {
      const made: Optimizer = optimizer();
      const { epochs } = await head.fit(training.features, targets as number[][], {
        epochs: 3,
        batchSize: 20,
        optimizer: made,
        ...options,
      });
      made.dispose();
      return epochs[2];
    };
    expect((await learned(many, labels, {})).accuracy).toBeGreaterThan(0.75);
    using teacher = newHead(context);
    await learned(teacher, training.targets, {});
    using features = context.tensor(training.features);
    using logits = linear(features, teacher.weight, { bias: teacher.bias! });
    using student = newHead(context, { seed: 9 });
    const distilled = await learned(student, logits, { loss: 'distillation', lossOptions: { temperature: 3 } });
    expect(distilled.accuracy).toBeGreaterThan(0.7);
    using own = newHead(context);
    const focal = (x: typeof logits, t: typeof logits) => focalLoss(x, t, { gradient: true });
    expect((await learned(own, training.targets, { loss: focal })).accuracy).toBeGreaterThan(0.8);
  });

  test('early stopping restores the best weights', async () => {
    using head = newHead(context);
    const before = await head.weight.data();
    const optimizer = sgd({ learningRate: 1 });
    let epoch = 0;
    // Learns in the first two epochs, and unlearns after them.
    const { bestEpoch, stoppedEarly, epochs } = await head.fit(training.features, training.targets, {
      epochs: 9,
      batchSize: 40,
      optimizer,
      validation: held,
      earlyStopping: { patience: 2 },
      loss: (logits, targets) => {
        const sign = epoch < 2 ? 1 : -1;
        return focalLoss(logits, targets, { gradient: true, gamma: 0, upstream: sign });
      },
      onProgress: () => {
        epoch++;
      },
    });
    expect([bestEpoch, stoppedEarly, epochs.length]).toEqual([2, true, 4]);
    const { loss } = await head.evaluate(held.features, held.targets);
    expect(loss).toBeCloseTo(epochs[1].validationLoss!, 5);
    expect(await head.weight.data()).not.toEqual(before);
  });

  test('a warm start is near the end already', async () => {
    using head = newHead(context);
    const { epochs } = await head.fit(training.features, training.targets, {
      epochs: 1,
      batchSize: 40,
      warmStart: true,
      schedule: () => 0,
    });
    expect(epochs[0].accuracy).toBeGreaterThan(0.9);
    expect(epochs[0].loss).toBeLessThan(0.35);
  });

  test('an abort rejects with its reason and leaves a head that can go on', async () => {
    using head = newHead(context);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ step }: FitProgress) => step >= 6 && controller.abort(reason);
    const options = { epochs: 50, batchSize: 16, onProgress, signal: controller.signal };
    expect(await errorOf(head.fit(training.features, training.targets, options))).toBe(reason);
    expect(await errorOf(head.fit(training.features, training.targets, options))).toBe(reason);
    expect((await head.weight.data()).every(Number.isFinite)).toBe(true);
    await head.fit(training.features, training.targets, { epochs: 1 });
  });

  test('save and load, bit for bit, with the optimizer', async () => {
    using head = newHead(context);
    const optimizer = adam({ learningRate: 0.1, amsgrad: true });
    await head.fit(training.features, training.targets, { epochs: 1, optimizer });
    await head.calibrate(held.features, held.targets);
    await head.fitRejection(held.features);
    const blob = await head.save({ optimizer });
    const other = adam({ learningRate: 0.1, amsgrad: true });
    using loaded = await ClassificationHead.load(context, blob, { optimizer: other });
    const bits = async (h: ClassificationHead) =>
      [await h.weight.data(), await h.bias!.data()].map((v) => new Uint32Array(v.buffer));
    expect(await bits(loaded)).toEqual(await bits(head));
    const facts = ({ labels, activation, temperature, rejection }: ClassificationHead) => ({
      labels,
      activation,
      temperature,
      rejection,
    });
    expect(facts(loaded)).toEqual(facts(head));
    expect(await other.state([loaded.weight, loaded.bias!])).toEqual(await optimizer.state([head.weight, head.bias!]));
    const goOn = (h: ClassificationHead, o: Optimizer) =>
      h.fit(training.features, training.targets, { epochs: 1, optimizer: o });
    expect(await goOn(loaded, other)).toEqual(await goOn(head, optimizer));
    const wrong = sgd({ learningRate: 1 });
    expect((await errorOf(ClassificationHead.load(context, blob, { optimizer: wrong }))).message).toBe(
      'ClassificationHead.load: "optimizer" is sgd, but the file holds the state of adam',
    );
    expect((await errorOf(ClassificationHead.load(context, await head.save(), { optimizer: other }))).message).toMatch(
      'no state of one',
    );
    optimizer.dispose();
    other.dispose();
  });

  test('save leaves out labels that are the numbers of the classes: as many as there may be fit into a header', async () => {
    const classes = 400_000;
    using head = ClassificationHead.create(context, { features: 1, classes });
    using loaded = await ClassificationHead.load(context, await head.save());
    expect(loaded.labels.length).toBe(classes);
    expect(loaded.labels[classes - 1]).toBe(String(classes - 1));
  });

  test('what is refused', async () => {
    using head = newHead(context);
    using half = ClassificationHead.fromWeights(context, {
      weight: context.tensor([[1], [2]], undefined, { dtype: 'float16' }),
    });
    const { features, targets } = training;
    const message = async (call: Promise<unknown>) => (await errorOf(call)).message;
    const refusal = (options: object) => message(head.fit(features, targets, options));
    expect(await refusal({ epochs: 0 })).toBe('fit: "epochs" must be an integer from 1, got 0');
    expect(await refusal({ rate: 1 })).toMatch('fit: unknown option "rate"');
    expect(await refusal({ loss: 'mse' })).toMatch(
      'fit: "loss" must be "crossEntropy", "binaryCrossEntropy" or "distillation"',
    );
    expect(await refusal({ loss: 'binaryCrossEntropy' })).toMatch('needs targets of shape [rows, classes]');
    expect(await refusal({ lossOptions: { gamma: 1 } })).toMatch('fit: "lossOptions": unknown option "gamma"');
    const odd = (make: (logits: Tensor) => object) => refusal({ loss: (logits: Tensor) => make(logits) as never });
    const scalar = () => context.tensor([1]);
    const returned = 'fit: what "loss" returned: ';
    expect(await odd(() => ({}))).toBe(`${returned}"loss" must be a Tensor, got undefined`);
    expect(await odd((logits) => ({ loss: context.tensor([...logits.shape]) }))).toBe(
      `${returned}"loss" must have shape [], got [2]`,
    );
    expect(await odd(() => ({ loss: scalar() }))).toBe(`${returned}"gradient" must be a Tensor, got undefined`);
    expect(await odd(() => ({ loss: scalar(), gradient: context.tensor([[1, 2, 3]]) }))).toMatch(
      `${returned}"gradient" must have shape [32, 3], the logits', got [1, 3]`,
    );
    const whole = (logits: Tensor) => context.tensor(new Int32Array(logits.size), logits.shape);
    expect(await odd((logits) => ({ loss: scalar(), gradient: whole(logits) }))).toBe(
      `${returned}"gradient" must be float32, got int32`,
    );
    expect(await refusal({ optimizer: 'adam' })).toMatch('fit: "optimizer" must be an optimizer');
    expect(await refusal({ earlyStopping: { patience: 1 } })).toBe('fit: "earlyStopping" needs "validation"');
    expect(await message(head.fit(features, targets.slice(1)))).toMatch('fit: "targets"');
    expect(await message(head.fit(features, [...targets.slice(1), 3]))).toMatch('got 3 in row 39');
    expect(await message(head.fit([], []))).toBe('fit: "features" must hold at least one row');
    const none = { features: [], targets: [] };
    expect(await refusal({ validation: none })).toBe('fit: "validation" must hold at least one row');
    expect(await message(half.fit([[1]], [0]))).toBe('fit: a head must be float32 to be trained, this one is float16');
    const both = [head.fit(features, targets, { epochs: 1 }), head.fit(features, targets, { epochs: 1 })];
    expect((await errorOf(both[1])).message).toBe('fit: the head is being trained already');
    await both[0];
    half.weight.dispose();
  });
});

test('balanced class weights are rows / (classes x rows of the class), and cost no more than both', async () => {
  const context = await createContext({ backend: 'cpu' });
  const weightsOf = (classes: number, targets: (number | string)[]) => {
    using head = ClassificationHead.create(context, { features: 1, classes });
    return settingsOf(head, targets, { classWeights: 'balanced' }).objective.options.classWeights;
  };
  for (const targets of [
    [0, 2, 2, -100, 2],
    ['0', '2', '2', '2'],
  ])
    expect(weightsOf(3, targets)).toEqual([4 / 3, 0, 4 / 9]);
  const many = 30_000;
  const began = performance.now();
  expect(
    weightsOf(
      many,
      Array.from({ length: many }, (_, i) => i),
    ),
  ).toEqual(new Array(many).fill(1));
  expect(performance.now() - began).toBeLessThan(1000); // some milliseconds; classes x rows would be seconds
  context.dispose();
});

describe('a device that is lost in mid-training', () => {
  const fitted = async (context: Context, lose: boolean) => {
    const head = newHead(context);
    const told: FitProgress[] = [];
    let lost = false;
    const history = await head.fit(training.features, training.targets, {
      epochs: 6,
      batchSize: 16,
      onProgress: (progress) => {
        told.push(progress);
        if (lose && !lost && progress.step >= 6) {
          lost = true;
          context.device!.destroy();
        }
      },
    });
    return { head, told, history, weight: await head.weight.data() };
  };

  test('goes on elsewhere, to the same end', async () => {
    const context = await createContext({ backend: 'webgpu' });
    const whole = await fitted(context, false);
    const broken = await fitted(context, true);
    expect(broken.head.context).not.toBe(context);
    expect(broken.head.context.backend).toBe('webgpu');
    expect(broken.weight).toEqual(whole.weight);
    expect(broken.history).toEqual(whole.history);
    const said = broken.told.filter(({ recovered }) => recovered);
    expect(said.length).toBe(1);
    expect(said[0].recovered).toMatch('The training goes on from step');
    const steps = broken.told.map(({ step }) => step);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect((await broken.head.predict(training.features[0]))[0].length).toBe(3);
    broken.head.context.dispose();
    context.dispose();
  });

  test('on the CPU where the device was borrowed; and not at all where features were tensors', async () => {
    const device = await requestDevice();
    const { head, told } = await fitted(await createContext({ device }), true);
    expect(head.context.backend).toBe('cpu');
    expect(told.some(({ recovered }) => recovered)).toBe(true);
    const context = await createContext({ backend: 'webgpu' });
    const again = newHead(context);
    const error = await errorOf(
      again.fit(context.tensor(training.features), training.targets, { onProgress: () => context.device!.destroy() }),
    );
    expect(error.name).toBe('DeviceLostError');
  });
});
