// What fuzzing found, each as small as it could be made.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ClassificationHead,
  type Context,
  createContext,
  crossEntropy,
  focalLoss,
  ShapeError,
  softmax,
  tripletMarginLoss,
  WeightsFormatError,
} from '../src/index.ts';
import * as of from './support/class-losses-reference.ts';
import { expectClose } from './support/close.ts';
import { errorOf, fileOf, tensor } from './support/heads.ts';

const masked = Number.NEGATIVE_INFINITY;
const any = (value: unknown) => value as never;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  it('focalLoss of a masked target has a gradient where its share of the others rounds to less than 1', async () => {
    const row = [-0.49164897203445435, masked, -0.5877450108528137];
    const { loss, gradient } = focalLoss(context.tensor([row]), [1], { gradient: true });
    expect(await loss.array()).toBe(Number.POSITIVE_INFINITY);
    expectClose(await gradient!.data(), of.focalRow(row, 1).gradient, { relative: 1e-6 });
  });

  it('the mean of many equal losses is one of them to 2e-6, though their roundings add up', async () => {
    for (const rows of [223, 255, 1023, 4096]) {
      for (const classes of [3, 7, 31]) {
        const x = context.tensor(new Float32Array(rows * classes), [rows, classes]);
        const { loss } = crossEntropy(x, new Int32Array(rows));
        expectClose(await loss.data(), [Math.log(classes)], { relative: 2e-6 }, `${rows} x ${classes}`);
        for (const tensor of [x, loss]) tensor.dispose();
      }
    }
  });

  it('tripletMarginLoss is NaN where both distances are beyond numbers, and not 0', async () => {
    const [anchor, positive, negative] = [
      [1, 2, 3],
      [3, 1, 2],
      [2, 3, 1],
    ].map((row) => context.tensor([row]));
    for (const swap of [false, true]) {
      const { loss } = tripletMarginLoss(anchor, positive, negative, { p: 0.001, swap });
      expect(await loss.array()).toBeNaN();
    }
  });

  it('an array that is in itself is refused', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic, cyclic);
    expect(() => softmax(any(cyclic))).toThrow(/^softmax: "logits" must be a Tensor, got \[\[/);
    expect(() => context.tensor(any(cyclic))).toThrow(ShapeError);
    const x = context.tensor([[1, 2]]);
    expect(() => crossEntropy(x, any(cyclic))).toThrow(ShapeError);
    expect(() => crossEntropy(x, [0], { classWeights: any(cyclic) })).toThrow(ShapeError);
  });

  it('an optimizer that is none is refused where a head is saved or loaded', async () => {
    const head = ClassificationHead.create(context, { features: 2, classes: 2 });
    const file = await head.save();
    for (const optimizer of [null, 3, 'adam', {}, () => 1]) {
      const message = /: "optimizer" must be one such as adam\(\{ learningRate: 0\.01 \}\), got/;
      for (const call of [
        head.save({ optimizer: any(optimizer) }),
        ClassificationHead.load(context, file, { optimizer: any(optimizer) }),
      ]) {
        const error = await errorOf(call);
        expect([error.name, error.message]).toEqual(['TypeError', expect.stringMatching(message)]);
      }
    }
    head.dispose();
  });

  it('a file of a sigmoid head with a rejection by energy, which such a head has not, is no sound file', async () => {
    const weight = tensor('classifier.weight', [[1], [2]]);
    const file = fileOf([weight], { activation: 'sigmoid', rejection: '{"score":"energy","below":1}' });
    const before = context.memory();
    const error = await errorOf(ClassificationHead.load(context, file));
    expect(error).toBeInstanceOf(WeightsFormatError);
    expect(error.message).toBe('ClassificationHead.load: the file\'s metadata "rejection" is not what a head saves');
    expect(context.memory()).toEqual(before);
  });

  it('class weights of a training that are none are refused before it begins', async () => {
    const head = ClassificationHead.create(context, { features: 1, classes: 2 });
    for (const [classWeights, kind, message] of [
      [null, TypeError, 'fit: "classWeights" must be a typed array or numbers in arrays, got null'],
      [{ length: 1e9 }, TypeError, 'fit: "classWeights" must be a typed array or numbers in arrays, got Object'],
      [[1, 2, 3], ShapeError, 'fit: "classWeights" has 3 elements, shape [2] needs 2'],
    ] as const) {
      const error = await errorOf(head.fit([[1], [2]], [0, 1], { classWeights: any(classWeights) }));
      expect([error.constructor, error.message]).toEqual([kind, message]);
    }
    head.dispose();
  });
});
