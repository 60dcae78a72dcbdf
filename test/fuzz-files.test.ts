// Files of weights that are not sound: safetensors and config.json under structured mutation. Whatever arrives, the reader gives a
// WeightsFormatError or tensors that lie within the file, soon, and leaves the prototypes of objects alone.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WeightsFormatError } from '../src/errors.ts';
import { readSafetensors, type Safetensors, writeSafetensors } from '../src/formats/safetensors.ts';
import { ClassificationHead, type Context, CrossheadError, createContext } from '../src/index.ts';
import { counted, holds } from './support/fuzz/run.ts';
import { uniform } from './support/random.ts';

const names = fc.oneof(
  fc.constantFrom(
    'classifier.weight',
    'classifier.bias',
    'weight',
    'score.weight',
    '__metadata__',
    '__proto__',
    'constructor',
    'toString',
    '',
  ),
  fc.string({ maxLength: 8 }),
);
const dtypes = fc.constantFrom(
  'F32',
  'F16',
  'BF16',
  'I64',
  'I8',
  'BOOL',
  'F8_E4M3',
  'f32',
  'F4',
  '__proto__',
  'toString',
  '',
);
const whole = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 24 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0.5, 1e300, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 - 1, -0, 4294967296 * 4) },
);
const anything = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>;
const orAnything = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: arbitrary as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: anything });

const entry = orAnything(
  fc.record(
    {
      dtype: orAnything(dtypes),
      shape: orAnything(fc.array(whole, { maxLength: 4 })),
      data_offsets: orAnything(fc.array(whole, { minLength: 2, maxLength: 2 })),
      extra: anything,
    },
    { requiredKeys: ['dtype', 'shape', 'data_offsets'] },
  ),
);

/** A header as a list of its entries, so that a name may come twice. */
const headers = fc.array(fc.tuple(names, entry), { maxLength: 5 });
const headerText = (entries: readonly (readonly [string, unknown])[]) =>
  `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;

/** What is done to the bytes of a file. */
interface Harm {
  readonly kind: 'flip' | 'set' | 'cut' | 'grow' | 'splice' | 'length';
  readonly at: number;
  readonly value: number;
}
const harms = fc.array(
  fc.record({
    kind: fc.constantFrom(...(['flip', 'set', 'cut', 'grow', 'splice', 'length'] as const)),
    at: fc.nat(1023),
    value: fc.nat(255),
  }),
  { maxLength: 4 },
);

function harmed(bytes: Uint8Array, all: readonly Harm[]): Uint8Array<ArrayBuffer> {
  let file = new Uint8Array(bytes);
  for (const { kind, at, value } of all) {
    const i = file.length ? at % file.length : 0;
    if (kind === 'cut') file = file.slice(0, i);
    else if (kind === 'grow') file = new Uint8Array([...file, ...new Uint8Array(value % 32).fill(at)]);
    else if (kind === 'splice') file = new Uint8Array([...file.slice(0, i), value, ...file.slice(i + (at & 1))]);
    else if (file.length === 0) continue;
    else if (kind === 'flip') file[i] ^= 1 << (value & 7);
    else if (kind === 'set') file[i] = value;
    else file[at % Math.min(8, file.length)] = value;
  }
  return file;
}

function fileOf(header: string, data: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + data).fill(0x3c, 8 + text.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

/** A file that a head of three classes might have written. */
const sound = (depth: number, seed: number) => {
  const next = uniform(seed);
  const values = (length: number) => Float32Array.from({ length }, next);
  const dtype = seed & 1 ? 'F16' : 'F32';
  return writeSafetensors(
    [
      { name: 'classifier.weight', shape: [3, depth], values: values(3 * depth), dtype },
      { name: 'classifier.bias', shape: [3], values: values(3) },
    ],
    { labels: '["cat","dog","emu"]', temperature: '2', activation: seed & 2 ? 'sigmoid' : 'softmax', format: 'pt' },
  );
};

/** Far longer, in ms, than a reader takes for a file of a kilobyte, on any machine. */
const longest = 5000;

function read(bytes: Uint8Array<ArrayBuffer>): Safetensors | null {
  counted.calls++;
  const start = performance.now();
  try {
    const file = readSafetensors(bytes.buffer);
    for (const { name, shape, dtype, values } of file.tensors.values()) {
      const size = shape.reduce((a, b) => a * b, 1);
      expect(size).toBeLessThanOrEqual(bytes.length);
      if (!/^(F32|F16|BF16)$/.test(dtype)) expect(values).toThrow(WeightsFormatError);
      else expect(values().length, name).toBe(size);
    }
    for (const [key, value] of file.metadata) expect([typeof key, typeof value]).toEqual(['string', 'string']);
    return file;
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(WeightsFormatError);
    expect((error as Error).message.length).toBeLessThan(2000);
    return null;
  } finally {
    expect(performance.now() - start).toBeLessThan(longest);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  }
}

describe('safetensors', () => {
  it('headers of every kind', async () => {
    const inputs = fc.record({ header: headers, data: fc.nat(64), harm: harms });
    await holds(
      'headers of every kind',
      inputs,
      ({ header, data, harm }) => void read(harmed(fileOf(headerText(header), data), harm)),
      500,
    );
  }, 3_600_000);

  it('sound files that were harmed', async () => {
    const inputs = fc.record({ depth: fc.integer({ min: 1, max: 5 }), seed: fc.nat(99), harm: harms });
    const property = ({ depth, seed, harm }: { depth: number; seed: number; harm: Harm[] }) => {
      const file = read(harmed(sound(depth, seed), harm));
      if (harm.length === 0) expect(file?.tensors.size).toBe(2);
    };
    await holds('sound files that were harmed', inputs, property, 500);
  }, 3_600_000);

  it('bytes at random', async () => {
    const inputs = fc.array(fc.nat(255), { maxLength: 64 });
    const property = (bytes: number[]) => void read(Uint8Array.from(bytes));
    await holds('bytes at random', inputs, property, 300);
  }, 3_600_000);
});

/** Of configs, what labels and activations are read from. */
const config = orAnything(
  fc.record(
    {
      id2label: orAnything(
        fc.dictionary(
          fc.constantFrom('0', '1', '2', '3', '-1', '00', '__proto__'),
          orAnything(fc.string({ maxLength: 4 })),
        ),
      ),
      problem_type: orAnything(
        fc.constantFrom('multi_label_classification', 'single_label_classification', 'regression'),
      ),
      __proto__: fc.constant(null),
    },
    { requiredKeys: [] },
  ),
);

const metadata = fc.record(
  {
    labels: fc.oneof(fc.constant('["a","b","c"]'), fc.json(), fc.string({ maxLength: 8 })),
    temperature: fc.oneof(
      fc.constantFrom('1', '0', '-1', 'NaN', '1e999', '0x10', '', ' 2 '),
      fc.string({ maxLength: 4 }),
    ),
    activation: fc.oneof(fc.constantFrom('softmax', 'sigmoid', '__proto__'), fc.string({ maxLength: 4 })),
    rejection: fc.oneof(fc.constantFrom('{"score":"energy","below":1}', '{"score":"energy"}', 'null', '[]'), fc.json()),
    optimizer: fc.oneof(fc.constantFrom('["adam",1,1]', '[]', '["adam",-1]', 'null'), fc.json()),
  },
  { requiredKeys: [] },
);

describe.each(['cpu', 'webgpu'] as const)('ClassificationHead.load on %s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  it(`files, configs and metadata of every kind on ${backend}`, async () => {
    const inputs = fc.record({
      depth: fc.integer({ min: 1, max: 3 }),
      seed: fc.nat(9),
      harm: harms,
      config,
      metadata,
      text: fc.boolean(),
    });
    const property = async (given: typeof inputs extends fc.Arbitrary<infer T> ? T : never) => {
      counted.calls++;
      const { depth, seed, harm, metadata, text } = given;
      const tensors = readSafetensors(sound(depth, seed).buffer).tensors;
      const all = [...tensors.values()].map(({ name, shape, values }) => ({ name, shape, values: values() }));
      const file = harmed(writeSafetensors(all, metadata as Record<string, string>), harm).buffer;
      // As text, so that "__proto__" is a name of it, as it is in a file.
      const json = JSON.stringify(given.config) ?? 'null';
      const before = context.memory().tensors;
      try {
        const head = await ClassificationHead.load(context, file, {
          config: text ? new Blob([json]) : JSON.parse(json),
        });
        const rows = await head.predict(new Float32Array(head.weight.shape[1]), { topK: 1 });
        expect(rows.length).toBe(1);
        for (const { label, index } of rows.flat()) expect(label).toBe(head.labels[index]);
        head.dispose();
      } catch (error) {
        const kind = text ? CrossheadError : /"config" must be/.test(String(error)) ? TypeError : CrossheadError;
        expect(error, String(error)).toBeInstanceOf(kind);
        expect((error as Error).message).toMatch(/^(ClassificationHead\.load|safetensors|predict): /);
      }
      expect(context.memory().tensors).toBe(before);
      expect(Object.keys(Object.prototype)).toEqual([]);
    };
    await holds(
      `files, configs and metadata of every kind on ${backend}`,
      inputs,
      property,
      backend === 'cpu' ? 60 : 15,
    );
  }, 3_600_000);
});

afterAll(() => console.log(`${counted.calls} files read`));
