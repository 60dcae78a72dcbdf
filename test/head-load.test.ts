// Heads of files, on both backends: weights, labels and settings, and all that `load` refuses.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Context, createContext } from '../src/context.ts';
import { WeightsFormatError } from '../src/errors.ts';
import { toHalfBits } from '../src/float16.ts';
import { ClassificationHead } from '../src/head/classification-head.ts';
import type { LoadOptions } from '../src/head/load.ts';
import { animalFile, animals, answersOf, errorOf, expectAnswers, fileOf, identity, tensor } from './support/heads.ts';

/** A file of one 16-bit matrix. */
function halfFile(dtype: 'F16' | 'BF16', values: number[][]): ArrayBuffer {
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  const brain = (value: number) => {
    float[0] = value;
    return word[0] >>> 16;
  };
  const halves = Uint16Array.from(values.flat(), dtype === 'F16' ? toHalfBits : brain);
  const entry = { dtype, shape: [values.length, values[0].length], data_offsets: [0, halves.byteLength] };
  const header = new TextEncoder().encode(JSON.stringify({ 'classifier.weight': entry }));
  const bytes = new Uint8Array(8 + header.length + halves.byteLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(new Uint8Array(halves.buffer), 8 + header.length);
  return bytes.buffer;
}

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  /** Nothing is left on the device but what was there. */
  afterEach(() => expect(context.memory().tensors).toBe(0));

  describe('load', () => {
    const weightOf = async (head: ClassificationHead) => head.weight.array();

    test('a file, labels from a config, and answers', async () => {
      const config = {
        id2label: { 3: 'fox', 2: 'emu', 1: 'dog', 0: 'cat' },
        problem_type: 'single_label_classification',
      };
      using head = await ClassificationHead.load(context, animalFile, { config });
      expect(head.labels).toEqual(animals);
      expect(head.activation).toBe('softmax');
      const expected = answersOf([1, 2, 0, 3], { weight: identity, bias: [0, 0, 0, 1], labels: animals });
      expectAnswers(await head.predict([1, 2, 0, 3]), [expected]);
    });

    test.each([
      'classifier.weight',
      'classifier.out_proj.weight',
      'score.weight',
      'fc.weight',
      'head.weight',
      'lm_head.weight',
      'weight',
      'model.classifier.weight',
      'model.lm_head.weight',
      '0.weight',
    ])('a weight named %s, and its bias', async (name) => {
      const bias = name.replace('weight', 'bias');
      const file = fileOf([
        tensor(bias, [5, 6]),
        tensor('embed', [[1]]),
        tensor('body.norm.weight', [1]),
        tensor(name, [
          [1, 2],
          [3, 4],
        ]),
      ]);
      using head = await ClassificationHead.load(context, file);
      expect(await weightOf(head)).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect(await head.bias?.array()).toEqual([5, 6]);
      expect(head.labels).toEqual(['0', '1']);
    });

    test('the surest name first, and only where it is a matrix', async () => {
      const file = fileOf([
        tensor('weight', [[1]]),
        tensor('classifier.weight', [9]),
        tensor('layer.0.fc.weight', [[2]]),
        tensor('layer.1.fc.weight', [[3]]),
        tensor('a.score.weight', [[5]]),
        tensor('lm_head.weight', [[4]]),
      ]);
      using head = await ClassificationHead.load(context, file);
      expect(await weightOf(head)).toEqual([[4]]);
    });

    test('by given names', async () => {
      const file = fileOf([tensor('classifier.weight', [[1]]), tensor('w', [[2]]), tensor('b', [3])]);
      using head = await ClassificationHead.load(context, file, { weightName: 'w', biasName: 'b' });
      expect([await weightOf(head), await head.bias?.array()]).toEqual([[[2]], [3]]);
      using bare = await ClassificationHead.load(context, file, { weightName: 'w' });
      expect(bare.bias).toBeNull();
    });

    test('F16 stays float16, BF16 becomes float32', async () => {
      using half = await ClassificationHead.load(
        context,
        halfFile('F16', [
          [1, 2 ** -24],
          [-65504, 0.5],
        ]),
      );
      expect(half.weight.dtype).toBe('float16');
      expect(await weightOf(half)).toEqual([
        [1, 2 ** -24],
        [-65504, 0.5],
      ]);
      using brain = await ClassificationHead.load(
        context,
        halfFile('BF16', [
          [1, 2 ** 100],
          [-3.140625, 0],
        ]),
      );
      expect(brain.weight.dtype).toBe('float32');
      expect(await weightOf(brain)).toEqual([
        [1, 2 ** 100],
        [-3.140625, 0],
      ]);
      const expected = answersOf([1, 1], {
        weight: [
          [1, 2 ** -24],
          [-65504, 0.5],
        ],
      });
      expectAnswers(await half.predict([1, 1]), [expected]);
    });

    test('a config of several labels a row means sigmoid', async () => {
      using head = await ClassificationHead.load(context, animalFile, {
        config: '{ "problem_type": "multi_label_classification" }',
      });
      expect(head.activation).toBe('sigmoid');
    });

    test('what a head saved is in the metadata; a config goes first', async () => {
      const metadata = { labels: JSON.stringify(animals), activation: 'sigmoid', temperature: '2.5', format: 'pt' };
      const file = fileOf([tensor('weight', identity)], metadata);
      using head = await ClassificationHead.load(context, file);
      expect([head.labels, head.activation, head.temperature]).toEqual([animals, 'sigmoid', 2.5]);
      const config = { id2label: { 0: 'a', 1: 'b', 2: 'c', 3: 'd' }, problem_type: 'single_label_classification' };
      using other = await ClassificationHead.load(context, file, { config });
      expect([other.labels, other.activation, other.temperature]).toEqual([['a', 'b', 'c', 'd'], 'softmax', 2.5]);
    });

    test('from a Blob, a URL and a string, with a config beside it', async () => {
      const blob = new Blob([animalFile]);
      const config = new Blob(['{"id2label":{"0":"cat","1":"dog","2":"emu","3":"fox"}}']);
      const urls = [URL.createObjectURL(blob), URL.createObjectURL(config)];
      try {
        const ways: [URL | string | Blob, LoadOptions['config']][] = [
          [blob, config],
          [urls[0], urls[1]],
          [new URL(urls[0]), new URL(urls[1])],
        ];
        for (const [source, description] of ways) {
          using head = await ClassificationHead.load(context, source, { config: description });
          expect(await weightOf(head)).toEqual(identity);
          expect(head.labels).toEqual(animals);
        }
      } finally {
        for (const url of urls) URL.revokeObjectURL(url);
      }
    });

    const refusals: [string, unknown, object, new (...args: never[]) => Error, string][] = [
      ['an unknown option', animalFile, { labels: [] }, TypeError, 'ClassificationHead.load: unknown option "labels"'],
      [
        'a source of the wrong kind',
        3,
        {},
        TypeError,
        '"source" must be a URL, a string, a Blob or an ArrayBuffer, got 3',
      ],
      ['a name of the wrong kind', animalFile, { weightName: 3 }, TypeError, '"weightName" must be a string, got 3'],
      ['a signal of the wrong kind', animalFile, { signal: {} }, TypeError, '"signal" must be an AbortSignal'],
      ['progress of the wrong kind', animalFile, { onProgress: {} }, TypeError, '"onProgress" must be a function'],
      ['a config of the wrong kind', animalFile, { config: 3 }, TypeError, '"config" must be an object'],
      ['a file that is none', new ArrayBuffer(3), {}, WeightsFormatError, 'header length'],
      ['a file without tensors', fileOf([]), {}, WeightsFormatError, 'The file holds no tensors'],
      [
        'a file without a head',
        fileOf([tensor('conv', [[1]]), tensor('norm.weight', [1])]),
        {},
        WeightsFormatError,
        'give "weightName". The file holds conv [1, 1], norm.weight [1]',
      ],
      [
        'a file of many layers',
        fileOf(Array.from({ length: 12 }, (_, i) => tensor(`${i}.weight`, [[1]]))),
        {},
        WeightsFormatError,
        'and 2 more',
      ],
      [
        'a name that is not there',
        animalFile,
        { weightName: 'fc.weight' },
        WeightsFormatError,
        '"weightName" is "fc.weight", but the file holds classifier.weight [4, 4], classifier.bias [4]',
      ],
      ['a bias that is not there', animalFile, { biasName: 'b' }, WeightsFormatError, '"biasName" is "b"'],
      [
        'a weight that is no matrix',
        animalFile,
        { weightName: 'classifier.bias' },
        WeightsFormatError,
        'tensor "classifier.bias" has shape [4]; the weight must',
      ],
      [
        'a bias that does not fit',
        fileOf([tensor('weight', [[1]]), tensor('bias', [1, 2])]),
        {},
        WeightsFormatError,
        'tensor "bias" has shape [2]; the bias must have shape [1]',
      ],
      ['a config that is no JSON', animalFile, { config: '{' }, WeightsFormatError, '"config" is not JSON'],
      [
        'a config file that is no object',
        animalFile,
        { config: new Blob(['[]']) },
        WeightsFormatError,
        '"config" must be a JSON object, got an array',
      ],
      [
        'too few labels',
        animalFile,
        { config: { id2label: { 0: 'a' } } },
        WeightsFormatError,
        'id2label has 1 labels, but the weight has 4 classes',
      ],
      [
        'labels that skip a class',
        animalFile,
        { config: { id2label: { 0: 'a', 1: 'b', 2: 'c', 4: 'd' } } },
        WeightsFormatError,
        'must name class 3, its entry is missing',
      ],
      [
        'labels that are no strings',
        animalFile,
        { config: { id2label: { 0: 'a', 1: 'b', 2: 'c', 3: 4 } } },
        WeightsFormatError,
        'class 3, its entry is of type number',
      ],
      [
        'labels that are no object',
        animalFile,
        { config: '{"id2label":["a"]}' },
        WeightsFormatError,
        'must be an object, got an array',
      ],
      [
        'labels of a prototype',
        animalFile,
        { config: '{"id2label":{"0":"a","1":"b","2":"c","__proto__":{"3":"d"}}}' },
        WeightsFormatError,
        'must name class 3',
      ],
      [
        'metadata labels that are no JSON',
        fileOf([tensor('weight', [[1]])], { labels: 'cat' }),
        {},
        WeightsFormatError,
        'metadata "labels" must be a JSON array of strings',
      ],
      [
        'too many metadata labels',
        fileOf([tensor('weight', [[1]])], { labels: '["a","b"]' }),
        {},
        WeightsFormatError,
        'has 2 labels, but the weight has 1 classes',
      ],
      [
        'a metadata activation',
        fileOf([tensor('weight', [[1]])], { activation: 'relu' }),
        {},
        WeightsFormatError,
        '"activation" must be "softmax" or "sigmoid", got "relu"',
      ],
      [
        'a metadata temperature',
        fileOf([tensor('weight', [[1]])], { temperature: '-1' }),
        {},
        WeightsFormatError,
        '"temperature" must be a positive number, got "-1"',
      ],
    ];
    test.each(refusals)('refuses %s', async (_, source, options, kind, message) => {
      const error = await errorOf(ClassificationHead.load(context, source as Blob, options));
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toContain(message);
    });
  });
});
