// Heads of weights that are given, on both backends: what they are, and all that `fromWeights` refuses.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Context, createContext } from '../src/context.ts';
import { DisposedError, ShapeError } from '../src/errors.ts';
import { ClassificationHead } from '../src/head/classification-head.ts';
import { animals, identity } from './support/heads.ts';

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  /** Nothing is left on the device but what was there. */
  afterEach(() => expect(context.memory().tensors).toBe(0));

  describe('fromWeights', () => {
    test('copies numbers, and leaves tensors to the caller', async () => {
      const numbers = identity.map((row) => [...row]);
      using bias = context.tensor([0, 0, 0, 7]);
      const head = ClassificationHead.fromWeights(context, { weight: numbers, bias });
      numbers[0][0] = 100;
      expect(head.bias).toBe(bias);
      expect(await head.weight.array()).toEqual(identity);
      head.dispose();
      expect(head.weight.disposed).toBe(true);
      expect(await bias.array()).toEqual([0, 0, 0, 7]);
    });

    test('says what it is', () => {
      const labels = [...animals];
      using head = ClassificationHead.fromWeights(context, { weight: identity, labels });
      labels[0] = 'cow';
      expect(head.labels).toEqual(animals);
      expect([head.weight.shape, head.bias, head.activation, head.temperature]).toEqual([[4, 4], null, 'softmax', 1]);
      using plain = ClassificationHead.fromWeights(context, { weight: [[1], [2]], activation: 'sigmoid' });
      expect([plain.labels, plain.activation]).toEqual([['0', '1'], 'sigmoid']);
    });

    const refusals: [string, object | undefined, new (...args: never[]) => Error, string][] = [
      ['nothing', undefined, TypeError, '"weight" must be'],
      ['an unknown option', { weight: identity, label: [] }, TypeError, 'unknown option "label"'],
      ['a flat weight', { weight: [1, 2] }, ShapeError, '"weight" must have shape [classes, features]'],
      ['no classes', { weight: [] }, ShapeError, 'got [0]'],
      ['no features', { weight: [[], []] }, ShapeError, 'got [2, 0]'],
      [
        'a bias that is too long',
        { weight: identity, bias: [1, 2, 3, 4, 5] },
        ShapeError,
        '"bias" must have shape [4]',
      ],
      ['too few labels', { weight: identity, labels: ['a'] }, ShapeError, 'each of the 4 classes, got 1'],
      [
        'labels that are no strings',
        { weight: [[1]], labels: [1] },
        TypeError,
        '"labels" must hold strings, labels[0] is 1',
      ],
      ['labels with a hole', { weight: [[1]], labels: new Array(1) }, TypeError, 'labels[0] is undefined'],
      ['labels that are no list', { weight: [[1]], labels: 'a' }, TypeError, '"labels" must be an array'],
      [
        'another activation',
        { weight: identity, activation: 'relu' },
        TypeError,
        '"activation" must be "softmax" or "sigmoid"',
      ],
    ];
    test.each(refusals)('refuses %s', (_, parts, kind, message) => {
      const make = () => ClassificationHead.fromWeights(context, parts as { weight: number[][] });
      expect(make).toThrow(kind);
      expect(make).toThrow(message);
      expect(make).toThrow('ClassificationHead.fromWeights: ');
    });

    test('refuses tensors that do not fit', async () => {
      using other = await createContext({ backend: 'cpu' });
      using foreign = other.tensor(identity);
      using whole = context.tensor(new Int32Array(16), [4, 4]);
      using bias = context.tensor([[1, 2, 3, 4]]);
      const from = (parts: object) => () => ClassificationHead.fromWeights(context, parts as { weight: number[][] });
      expect(from({ weight: foreign })).toThrow('another context');
      expect(from({ weight: whole })).toThrow(TypeError);
      expect(from({ weight: identity, bias })).toThrow(ShapeError);
      expect(() => ClassificationHead.fromWeights({} as Context, { weight: identity })).toThrow('must be a Context');
    });

    test('refuses a context that was disposed of', async () => {
      const gone = await createContext({ backend: 'cpu' });
      gone.dispose();
      expect(() => ClassificationHead.fromWeights(gone, { weight: identity })).toThrow(DisposedError);
    });
  });
});
