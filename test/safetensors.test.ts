import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WeightsFormatError } from '../src/errors.ts';
import { readSafetensors, writeSafetensors } from '../src/formats/safetensors.ts';

/** A file with any header text and any data, sound or not. */
function file(header: string | Uint8Array, data: ArrayLike<number> = [], claimed?: bigint): ArrayBuffer {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes.buffer;
}

/** A file of one tensor named "w". */
const one = (entry: object, data: ArrayLike<number> = []): ArrayBuffer => file(JSON.stringify({ w: entry }), data);

function refused(bytes: ArrayBuffer): string {
  try {
    readSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(WeightsFormatError);
    expect((error as Error).name).toBe('WeightsFormatError');
    return (error as Error).message;
  }
  throw new Error('the file was read');
}

const bitsOf = (values: Float32Array): number[] => [
  ...new Uint32Array(values.buffer, values.byteOffset, values.length),
];
const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes);

describe('values', () => {
  test('F32, with subnormals, infinities and a NaN payload, bit for bit', () => {
    const bits = [0x3fc00000, 0x00000001, 0x80000000, 0x7f800000, 0xff800000, 0x7fc12345];
    const { tensors } = readSafetensors(
      one({ dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] }, new Uint8Array(new Uint32Array(bits).buffer)),
    );
    const { name, dtype, shape, values } = tensors.get('w')!;
    expect([name, dtype, shape]).toEqual(['w', 'F32', [2, 3]]);
    expect(bitsOf(values())).toEqual(bits);
  });

  test('F16', () => {
    const halves = [0x3c00, 0xc000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x8000, 0x7e01];
    const bytes = new Uint8Array(new Uint16Array(halves).buffer);
    const { tensors } = readSafetensors(one({ dtype: 'F16', shape: [10], data_offsets: [0, 20] }, bytes));
    const values = [1, -2, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, Infinity, -Infinity, -0, NaN];
    expect([...tensors.get('w')!.values()]).toEqual(values);
  });

  test('BF16: the upper half of a float32', () => {
    const halves = [0x3f80, 0xc000, 0x0001, 0x8000, 0x7f80, 0xff80, 0x7fc1, 0x4049];
    const bytes = new Uint8Array(new Uint16Array(halves).buffer);
    const { tensors } = readSafetensors(one({ dtype: 'BF16', shape: [8], data_offsets: [0, 16] }, bytes));
    const values = tensors.get('w')!.values();
    expect(bitsOf(values)).toEqual(halves.map((half) => half * 65536));
    expect([...values]).toEqual([1, -2, 2 ** -133, -0, Infinity, -Infinity, NaN, 3.140625]);
  });

  test('data that is not aligned, in whatever order the header names it', () => {
    const header = {
      float: { dtype: 'F32', shape: [1], data_offsets: [3, 7] },
      half: { dtype: 'F16', shape: [1], data_offsets: [1, 3] },
      byte: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
    };
    const { tensors } = readSafetensors(file(JSON.stringify(header), [9, 0x00, 0x3c, 0, 0, 0x20, 0xc0]));
    expect([...tensors.keys()]).toEqual(['float', 'half', 'byte']);
    expect([...tensors.get('float')!.values()]).toEqual([-2.5]);
    expect([...tensors.get('half')!.values()]).toEqual([1]);
  });

  test('are a copy each time', () => {
    const { tensors } = readSafetensors(one({ dtype: 'F32', shape: [1], data_offsets: [0, 4] }, zeros(4)));
    const w = tensors.get('w')!;
    w.values()[0] = 5;
    expect([...w.values()]).toEqual([0]);
  });

  test('of a scalar, and of a tensor with nothing in it', () => {
    const header = {
      scalar: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
      empty: { dtype: 'F32', shape: [3, 0], data_offsets: [0, 0] },
      last: { dtype: 'F32', shape: [0], data_offsets: [4, 4] },
    };
    const { tensors } = readSafetensors(file(JSON.stringify(header), [0, 0, 128, 63]));
    expect([...tensors.get('scalar')!.values()]).toEqual([1]);
    expect(tensors.get('empty')!.values().length).toBe(0);
    expect(tensors.get('last')!.values().length).toBe(0);
  });

  test.each([
    ...['F64', 'I64', 'U64', 'C64'].map((dtype) => [dtype, 8] as const),
    ...['I32', 'U32'].map((dtype) => [dtype, 4] as const),
    ...['I16', 'U16'].map((dtype) => [dtype, 2] as const),
    ...['I8', 'U8', 'BOOL', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0'].map((dtype) => [dtype, 1] as const),
  ])('of %s are listed but not converted', (dtype, size) => {
    const { tensors } = readSafetensors(one({ dtype, shape: [3], data_offsets: [0, 3 * size] }, zeros(3 * size)));
    expect(tensors.get('w')!.shape).toEqual([3]);
    expect(() => tensors.get('w')!.values()).toThrow(WeightsFormatError);
    expect(() => tensors.get('w')!.values()).toThrow(`tensor "w" is ${dtype}; only F32, F16, BF16`);
  });

  test('metadata', () => {
    const header = { __metadata__: { format: 'pt', constructor: 'yes' } };
    const { tensors, metadata } = readSafetensors(file(JSON.stringify(header)));
    expect(tensors.size).toBe(0);
    expect([...metadata]).toEqual([
      ['format', 'pt'],
      ['constructor', 'yes'],
    ]);
  });

  test('a header padded with spaces, and names that objects have of their own', () => {
    const header = '{"constructor":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}     ';
    const { tensors } = readSafetensors(file(header, [1]));
    expect(tensors.get('constructor')!.dtype).toBe('U8');
    expect(tensors.get('toString')).toBeUndefined();
  });
});

describe('a file that is not sound', () => {
  test('no bytes', () => {
    expect(refused(new ArrayBuffer(0))).toContain('begins with 8 bytes of header length, this one has 0 bytes');
  });
  test('cut short in the length', () => {
    expect(refused(new ArrayBuffer(7))).toContain('this one has 7 bytes');
  });
  test('cut short in the header', () => {
    expect(refused(file('{}', [], 3n))).toContain('the header claims 3 bytes, but only 2 follow');
  });
  test('cut short in the data', () => {
    const message = refused(one({ dtype: 'F32', shape: [2], data_offsets: [0, 8] }, zeros(7)));
    expect(message).toContain('tensor "w" ends at byte 8, but the data has 7 bytes');
  });
  test('a header over the limit', () => {
    expect(refused(file('{}', [], 4_000_001n))).toContain('may have 4000000 bytes, this one claims 4000001');
  });
  test('a header length of 64 bits', () => {
    expect(refused(file('{}', [], 2n ** 64n - 1n))).toContain('this one claims 18446744073709551615');
  });
  test('a header that is no JSON', () => {
    expect(refused(file('{"w":'))).toContain('not JSON');
  });
  test('an empty header', () => {
    expect(refused(file(''))).toContain('not JSON');
  });
  test.each([
    ['[]', 'an array'],
    ['null', 'null'],
    ['3', '3'],
    ['"w"', '"w"'],
  ])('a header that is %s', (header, found) => {
    expect(refused(file(header))).toContain(`must be a JSON object, got ${found}`);
  });
  test('a header that is not UTF-8', () => {
    expect(refused(file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)))).toContain('not JSON in UTF-8');
  });
  test('a byte order mark', () => {
    expect(refused(file('\ufeff{}'))).toContain('not JSON in UTF-8');
  });
  test('nested without end', () => {
    expect(refused(file('['.repeat(200_000)))).toContain('not JSON');
    expect(refused(file('['.repeat(200_001)))).toContain('may have 200000 of {, [ and : in all, this one has 200001');
    const depth = 190_000;
    const deep = '['.repeat(depth) + ']'.repeat(depth);
    expect(refused(file(`{"w":{"dtype":"F32","shape":${deep},"data_offsets":[0,0]}}`))).toMatch(/shape\[0\]|not JSON/);
    expect(refused(file(`{"__metadata__":{"a":${deep}}}`))).toMatch(/"a" is an array|not JSON/);
  });
  test('a tensor that is no object', () => {
    expect(refused(file('{"w":[1]}'))).toContain('tensor "w" must be described by an object, got an array');
  });
  test('a dtype that is not known', () => {
    expect(refused(one({ dtype: 'F128', shape: [], data_offsets: [0, 16] }, zeros(16)))).toMatch(
      /tensor "w" dtype must be one of .*F32.*, got "F128"/,
    );
  });
  test.each(['constructor', '__proto__', 'f32', ''])('dtype %j', (dtype) => {
    expect(refused(one({ dtype, shape: [0], data_offsets: [0, 0] }))).toContain(`got "${dtype}"`);
  });
  test('a dtype of the wrong kind', () => {
    expect(refused(one({ dtype: ['F32'], shape: [], data_offsets: [0, 4] }, zeros(4)))).toContain('got an array');
  });
  test('no dtype', () => {
    expect(refused(one({ shape: [], data_offsets: [0, 4] }, zeros(4)))).toContain('got nothing');
  });
  test('no shape', () => {
    expect(refused(one({ dtype: 'F32', data_offsets: [0, 4] }, zeros(4)))).toContain('shape must be an array');
  });
  test('no offsets', () => {
    const message = refused(one({ dtype: 'F32', shape: [] }, zeros(4)));
    expect(message).toContain('tensor "w" data_offsets must be an array, got nothing');
  });
  test('what only a prototype has', () => {
    const header = '{"w":{"__proto__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}}';
    expect(refused(file(header))).toContain('dtype must be one of');
  });
  test.each([
    [[-1], '-1'],
    [[1.5], '1.5'],
    [[null], 'null'],
    [['2'], '"2"'],
    [[2 ** 53], '9007199254740992'],
    [[[2]], 'an array'],
  ])('a shape of %j', (shape, found) => {
    const message = refused(one({ dtype: 'F32', shape, data_offsets: [0, 0] }));
    expect(message).toContain(`tensor "w" shape must hold whole numbers from 0, shape[0] is ${found}`);
  });
  test('a shape whose elements are too many to count', () => {
    // The product is 2^64, which wraps to 0 in the 64-bit integers of a careless reader.
    const message = refused(one({ dtype: 'F32', shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] }));
    expect(message).toContain('shape [4294967296, 4294967296] has too many elements');
  });
  test('a shape that does not fit its bytes', () => {
    const message = refused(one({ dtype: 'F16', shape: [2, 3], data_offsets: [0, 24] }, zeros(24)));
    expect(message).toContain('tensor "w" F16 of shape [2, 3] takes 12 bytes, but 24 are given to it');
  });
  test.each([[[0]], [[0, 4, 8]], [[]]])('offsets %j', (offsets) => {
    const message = refused(one({ dtype: 'F32', shape: [1], data_offsets: offsets }, zeros(4)));
    expect(message).toContain(`data_offsets must be two numbers, got ${offsets.length}`);
  });
  test('offsets that run backwards', () => {
    const message = refused(one({ dtype: 'F32', shape: [1], data_offsets: [8, 4] }, zeros(8)));
    expect(message).toContain('data_offsets must not end (4) before they begin (8)');
  });
  test('negative offsets', () => {
    const message = refused(one({ dtype: 'F32', shape: [1], data_offsets: [-4, 0] }, zeros(8)));
    expect(message).toContain('data_offsets[0] is -4');
  });
  test('offsets beyond the data', () => {
    const message = refused(one({ dtype: 'F32', shape: [2 ** 40], data_offsets: [0, 2 ** 42] }, zeros(8)));
    expect(message).toContain('ends at byte 4398046511104, but the data has 8 bytes');
  });
  test('a hole before the first tensor', () => {
    const message = refused(one({ dtype: 'F32', shape: [1], data_offsets: [4, 8] }, zeros(8)));
    expect(message).toContain('tensor "w" begins at byte 4 of the data, leaving a hole after byte 0');
  });
  test('a hole between tensors', () => {
    const a = { dtype: 'U8', shape: [2], data_offsets: [0, 2] };
    const b = { dtype: 'U8', shape: [2], data_offsets: [3, 5] };
    expect(refused(file(JSON.stringify({ b, a }), zeros(5)))).toContain('tensor "b" begins at byte 3');
  });
  test('tensors that overlap', () => {
    const a = { dtype: 'U8', shape: [4], data_offsets: [0, 4] };
    const b = { dtype: 'U8', shape: [2], data_offsets: [2, 4] };
    const message = refused(file(JSON.stringify({ a, b }), zeros(4)));
    expect(message).toContain('tensor "b" begins at byte 2 of the data, overlapping a tensor that ends at 4');
  });
  test('data that belongs to no tensor', () => {
    const message = refused(one({ dtype: 'U8', shape: [1], data_offsets: [0, 1] }, zeros(3)));
    expect(message).toContain('the tensors end at byte 1, but the data has 3 bytes');
  });
  test('a tensor named __proto__', () => {
    const header = '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
    expect(refused(file(header, [1]))).toContain('may not be named "__proto__"');
    expect(Object.hasOwn(Object.prototype, 'dtype')).toBe(false);
  });
  test('metadata that is no object', () => {
    expect(refused(file('{"__metadata__":"pt"}'))).toContain('"__metadata__" must be an object of strings, got "pt"');
  });
  test('metadata that is no string', () => {
    expect(refused(file('{"__metadata__":{"epochs":3}}'))).toContain('must hold strings, "epochs" is 3');
  });
  test('a message stays short, whatever the file holds', () => {
    expect(refused(file(JSON.stringify({ ['w'.repeat(100_000)]: 1 }))).length).toBeLessThan(300);
    const shape = new Array(100_000).fill(1);
    expect(refused(one({ dtype: 'F32', shape, data_offsets: [0, 0] })).length).toBeLessThan(300);
  });
});

test('a header of many tensors is read in a moment', () => {
  const header: Record<string, object> = {};
  const count = 25_000;
  for (let i = count - 1; i >= 0; i--) header[`t${i}`] = { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] };
  const bytes = file(JSON.stringify(header), zeros(count));
  const start = performance.now();
  expect(readSafetensors(bytes).tensors.size).toBe(count);
  expect(performance.now() - start).toBeLessThan(5000); // it takes a fraction of a second; a check of every pair would take minutes
});

describe('no header holds a page up for long', () => {
  /** As many entries as fill a header. */
  const entries = (bytes: number, entry: (i: number) => string) => {
    const length = Math.floor(bytes / (entry(1e6).length + 1));
    return Array.from({ length }, (_, i) => entry(1e6 + i)).join(',');
  };
  // Each took seconds where a header could have 100 MB, the first half a minute.
  test.each<[string, (bytes: number) => string]>([
    ['keys', (bytes) => `{${entries(bytes, (i) => `"${i.toString(36)}":0`)}}`],
    ['metadata', (bytes) => `{"__metadata__":{${entries(bytes, (i) => `"${i.toString(36)}":""`)}}}`],
    ['numbers', (bytes) => `{"w":{"dtype":"F32","shape":[${entries(bytes, () => '0')}],"data_offsets":[0,0]}}`],
    ['strings', (bytes) => `{"w":[${entries(bytes, (i) => `"${i.toString(36)}"`)}]}`],
    ['lists', (bytes) => `{"w":[${entries(bytes, () => '[]')}]}`],
    ['nested', (bytes) => '['.repeat(bytes)],
  ])('%s', (_, header) => {
    // The largest that may come; and the most entries.
    for (const bytes of [20_000_000, 3_900_000, 1_500_000, 900_000]) {
      const given = file(header(bytes));
      const start = performance.now();
      try {
        readSafetensors(given);
      } catch (error) {
        expect(error).toBeInstanceOf(WeightsFormatError);
      }
      expect(performance.now() - start).toBeLessThan(1500); // a third of a second at the most, where nothing else runs
    }
  });

  test('nor is one written that could not be read', () => {
    const write = (note: string) => writeSafetensors([], { note });
    expect(() => write('x'.repeat(4_000_000))).toThrow('may have 4000000 bytes, this one claims 40000');
    expect(() => write('['.repeat(200_000))).toThrow('may have 200000 of {, [ and :');
  });
});

describe('writing', () => {
  test('begins the data at a multiple of 8 bytes, behind spaces', () => {
    const bytes = writeSafetensors([{ name: 'w', shape: [1], values: Float32Array.of(1) }]);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    expect(header).toBe('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.padEnd(length, ' '));
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 128, 63]);
  });

  test('keeps every bit of the values, and metadata in any script', () => {
    const bits = fc.uint8Array({ maxLength: 64 }).map((bytes) => bytes.slice(0, bytes.length & ~3).buffer);
    const name = fc.string({ unit: 'binary' }).filter((text) => text !== '__proto__' && text !== '__metadata__');
    const tensor = fc.record({ name, words: bits });
    const tensors = fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 5 });
    const metadata = fc.dictionary(fc.string(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(tensors, metadata, (stored, notes) => {
        const bytes = writeSafetensors(
          stored.map((t) => ({ name: t.name, shape: [t.words.byteLength / 4], values: new Float32Array(t.words) })),
          notes,
        );
        const read = readSafetensors(bytes.buffer);
        expect([...read.metadata].sort()).toEqual(Object.entries(notes).sort());
        expect(read.tensors.size).toBe(stored.length);
        for (const { name, words } of stored) {
          expect(bitsOf(read.tensors.get(name)!.values())).toEqual([...new Uint32Array(words)]);
        }
      }),
    );
  });

  test('takes a view into a larger buffer', () => {
    const values = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const { tensors } = readSafetensors(writeSafetensors([{ name: 'w', shape: [2, 1], values }]).buffer);
    expect([...tensors.get('w')!.values()]).toEqual([1, 2]);
  });
});

describe('whatever the bytes, the answer is sound or a WeightsFormatError', () => {
  function check(bytes: ArrayBuffer): void {
    try {
      for (const tensor of readSafetensors(bytes).tensors.values()) {
        const elements = tensor.shape.reduce((size, length) => size * length, 1);
        expect(elements).toBeLessThanOrEqual(bytes.byteLength);
        if (['F32', 'F16', 'BF16'].includes(tensor.dtype)) expect(tensor.values().length).toBe(elements);
      }
    } catch (error) {
      if (!(error instanceof WeightsFormatError)) throw error;
    }
  }

  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(bytes.slice().buffer)),
      { numRuns: 500 },
    );
  });

  test('any JSON as a header', () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ maxLength: 16 }), (header, data) => check(file(header, data))),
      { numRuns: 500 },
    );
  });

  test('entries that look right', () => {
    const number = fc.oneof(fc.integer({ min: -1, max: 9 }), fc.constantFrom(2 ** 31, 2 ** 53, 1e300, 0.5));
    const entry = fc.record(
      {
        dtype: fc.constantFrom('F32', 'F16', 'BF16', 'U8', 'I64', 'X'),
        shape: fc.array(number, { maxLength: 3 }),
        data_offsets: fc.array(number, { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(fc.constantFrom('a', 'b', '__proto__', '__metadata__'), entry);
    fc.assert(
      fc.property(header, fc.nat(40), (entries, data) => check(file(JSON.stringify(entries), zeros(data)))),
      { numRuns: 1000 },
    );
  });

  test('a sound file with bytes changed, cut and added', () => {
    const sound = writeSafetensors(
      [
        { name: 'classifier.weight', shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
        { name: 'classifier.bias', shape: [2], values: Float32Array.of(7, 8) },
      ],
      { format: 'pt' },
    );
    const change = fc.tuple(fc.nat(sound.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.integer({ min: -40, max: 8 }), (changes, more) => {
        const bytes = new Uint8Array(sound.length + more);
        bytes.set(sound.subarray(0, bytes.length));
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        check(bytes.buffer);
      }),
      { numRuns: 2000 },
    );
  });
});
