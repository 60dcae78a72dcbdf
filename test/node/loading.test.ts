// Weights from a server: range requests, and servers that do not answer them, break off, change the file, or send too much.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { adam, ClassificationHead, type Context, CrossheadError, createContext } from '../../src/index.ts';
import { errorOf, fileOf, tensor } from '../support/heads.ts';

const weight = [
  [1, 2],
  [3, 4],
];
const body = Array.from({ length: 300_000 }, (_, i) => i % 7);
/** 2.4 MB, of which the head is 24 bytes, in its middle. */
const large = Buffer.from(
  fileOf([
    tensor('body.0', body),
    tensor('classifier.weight', weight),
    tensor('classifier.bias', [5, 6]),
    tensor('body.1', body),
  ]),
);
const small = Buffer.from(fileOf([tensor('classifier.weight', weight), tensor('classifier.bias', [5, 6])]));

interface Asked {
  readonly range: string | undefined;
  sent: number;
}

let server: Server;
let url: string;
let context: Context;
let asked: Asked[] = [];
let answer: (request: IncomingMessage, response: ServerResponse, ask: Asked) => void;
beforeAll(async () => {
  context = await createContext({ backend: 'cpu' });
  server = createServer((request, response) => {
    const ask = { range: request.headers.range, sent: 0 };
    asked.push(ask);
    const write = response.write.bind(response);
    response.write = ((chunk: Buffer, ...rest: []) => {
      ask.sent += chunk.length;
      return write(chunk, ...rest);
    }) as typeof response.write;
    answer(request, response, ask);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  context.dispose();
});
afterEach(() => {
  expect(context.memory().tensors).toBe(0);
  asked = [];
});

const send = (response: ServerResponse, status: number, headers: Record<string, string | number>, bytes: Buffer) => {
  response.writeHead(status, { 'content-length': bytes.length, ...headers });
  response.write(bytes);
  response.end();
};
/** A server that answers ranges of a file as it is at each request. */
const ranged =
  (file: () => Buffer, headers: () => Record<string, string> = () => ({})): typeof answer =>
  (request, response) => {
    const bytes = file();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (first === undefined) return send(response, 200, headers(), bytes);
    const part = bytes.subarray(Number(first), Number(last) + 1);
    const range = `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}`;
    send(response, 206, { 'content-range': range, ...headers() }, part);
  };
const plain =
  (bytes: Buffer): typeof answer =>
  (_, response) =>
    send(response, 200, {}, bytes);

async function expectHead(options: Parameters<typeof ClassificationHead.load>[2] = {}): Promise<void> {
  using head = await ClassificationHead.load(context, url, options);
  expect(await head.weight.array()).toEqual(weight);
  expect(await head.bias?.array()).toEqual([5, 6]);
}

describe('a server that answers range requests', () => {
  test('sends the header and the head of a large file, and not its body', async () => {
    answer = ranged(() => large);
    const told: { loaded: number; total: number | null }[] = [];
    await expectHead({ onProgress: (progress) => told.push(progress) });
    const begin = large.length - body.length * 4 - 24;
    expect(asked.map(({ range }) => range)).toEqual(['bytes=0-65535', `bytes=${begin}-${begin + 23}`]);
    expect(told.at(-1)).toEqual({ loaded: 65_536 + 24, total: 65_536 + 24 });
    expect(told[0].total).toBeNull();
  });

  test('sends a small file at once', async () => {
    answer = ranged(() => small);
    const told: unknown[] = [];
    await expectHead({ onProgress: (progress) => told.push(progress) });
    expect(asked.length).toBe(1);
    expect(told.at(-1)).toEqual({ loaded: small.length, total: small.length });
  });

  test('a header that is longer than the first request', async () => {
    const names = Array.from({ length: 2000 }, (_, i) => tensor(`model.layers.${i}.norm.weight`, [i]));
    const file = Buffer.from(
      fileOf([...names, tensor('classifier.weight', weight), tensor('classifier.bias', [5, 6])]),
    );
    expect(Number(file.readBigUInt64LE(0))).toBeGreaterThan(2 ** 16);
    answer = ranged(() => file);
    await expectHead();
    expect(asked.length).toBe(3);
  });

  test('gives an optimizer its state', async () => {
    using head = ClassificationHead.fromWeights(context, { weight, bias: [5, 6] });
    const optimizer = adam({ learningRate: 0.1 });
    await head.fit([[1, 2]], [0], { epochs: 1, optimizer });
    const file = Buffer.from(await (await head.save({ optimizer })).arrayBuffer());
    answer = ranged(() => file);
    const other = adam({ learningRate: 0.1 });
    using loaded = await ClassificationHead.load(context, url, { optimizer: other });
    expect(await other.state([loaded.weight])).toEqual(await optimizer.state([head.weight]));
    for (const each of [optimizer, other]) each.dispose();
  });

  test('and changes the file between two requests', async () => {
    let requests = 0;
    answer = ranged(
      () => large,
      () => ({ etag: `"${++requests}"` }),
    );
    const error = await errorOf(ClassificationHead.load(context, url));
    expect(error).toBeInstanceOf(CrossheadError);
    expect(error.message).toContain('changed while it was read');
  });

  test('and sends fewer bytes than were asked for, or other bytes', async () => {
    const [first, other] = [ranged(() => large), ranged(() => large)];
    answer = (request, response, ask) => {
      if (asked.length === 1) return first(request, response, ask);
      send(
        response,
        206,
        { 'content-range': `${request.headers.range!.replace('=', ' ')}/${large.length}` },
        Buffer.alloc(7),
      );
    };
    expect((await errorOf(ClassificationHead.load(context, url))).message).toContain(
      'gave 7 bytes where 24 were asked for',
    );
    asked = [];
    answer = (request, response, ask) => {
      if (asked.length > 1) request.headers.range = 'bytes=0-23';
      other(request, response, ask);
    };
    expect((await errorOf(ClassificationHead.load(context, url))).message).toContain(
      'stopped answering range requests',
    );
  });
});

describe('a server that does not', () => {
  test('sends the whole file', async () => {
    answer = plain(large);
    await expectHead();
    expect(asked.length).toBe(1);
  });

  test.each([
    ['refuses them', 416],
    ['breaks off', 0],
  ])('%s: the whole file is asked for', async (_, status) => {
    answer = (request, response, ask) => {
      if (!request.headers.range) return plain(small)(request, response, ask);
      if (status) send(response, status, {}, Buffer.alloc(0));
      else response.destroy();
    };
    await expectHead();
    expect(asked.map(({ range }) => range)).toEqual(['bytes=0-65535', undefined]);
  });

  test('answers them with compressed parts, which are parts of something else', async () => {
    answer = (request, response, ask) => {
      if (!request.headers.range) return plain(small)(request, response, ask);
      const headers = { 'content-encoding': 'gzip', 'content-range': `bytes 0-9/${small.length}` };
      send(response, 206, headers, gzipSync(small));
    };
    await expectHead();
  });
});

describe('limits', () => {
  test('maxBytes counts what is read, and stops before it where the server says how much there is', async () => {
    answer = ranged(() => large);
    await expectHead({ maxBytes: 65_536 + 24 });
    const refused = async (maxBytes: number) =>
      (await errorOf(ClassificationHead.load(context, url, { maxBytes }))).message;
    expect(await refused(65_536 + 23)).toBe(
      `ClassificationHead.load: ${url} takes 65560 bytes or more, and "maxBytes" allows 65559`,
    );
    answer = plain(large);
    expect(await refused(large.length - 1)).toContain(`takes ${large.length} bytes`);
    await expectHead({ maxBytes: large.length });
  });

  test('a server that sends without end is left', async () => {
    let gone = false;
    answer = (_, response) => {
      response.writeHead(200, {});
      const more = () => {
        if (!gone) response.write(Buffer.alloc(4096), () => setImmediate(more));
      };
      response.on('close', () => {
        gone = true;
      });
      more();
    };
    const error = await errorOf(ClassificationHead.load(context, url, { maxBytes: 1_000_000 }));
    expect(error.message).toContain('"maxBytes" allows 1000000');
    for (let i = 0; i < 2000 && !gone; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(gone).toBe(true);
    expect(asked[0].sent).toBeLessThan(20_000_000);
    gone = false;
    const config = await errorOf(
      ClassificationHead.load(context, new Blob([small]), { config: url, maxBytes: 100_000 }),
    );
    expect(config.message).toContain('"maxBytes" allows 100000');
  });

  test('refuses a limit that is none', async () => {
    const load = (maxBytes: unknown) => ClassificationHead.load(context, url, { maxBytes: maxBytes as number });
    await expect(load('1 MB')).rejects.toThrow(
      'ClassificationHead.load: "maxBytes" must be a number from 0, got "1 MB"',
    );
    await expect(load(-1)).rejects.toThrow(RangeError);
    expect(asked).toEqual([]);
  });

  test('an abort between two ranges', async () => {
    answer = ranged(() => large);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    expect(await errorOf(ClassificationHead.load(context, url, { onProgress, signal: controller.signal }))).toBe(
      reason,
    );
    expect(asked.length).toBe(1);
  });
});

test('of a large Blob no more is read than is needed', async () => {
  const blob = new Blob([large]);
  const told: number[] = [];
  using head = await ClassificationHead.load(context, blob, { onProgress: ({ loaded }) => told.push(loaded) });
  expect(await head.weight.array()).toEqual(weight);
  expect(told.at(-1)).toBe(65_536 + 24);
});

test('names of prototypes in a file and in a config are names, and change nothing', async () => {
  const file = fileOf([tensor('classifier.weight', weight), tensor('constructor', [1]), tensor('toString', [1])], {
    labels: '["__proto__","constructor"]',
    activation: 'softmax',
  });
  const evil =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"id2label":{"0":"__proto__","1":"constructor"}}';
  using head = await ClassificationHead.load(context, file, { config: evil });
  const [row] = await head.predict([1, 1], { allow: ['__proto__', 'constructor'] });
  expect(row.map(({ label }) => label)).toEqual(['constructor', '__proto__']);
  await expect(head.predict([1, 1], { deny: ['toString'] })).rejects.toThrow();
  const options = JSON.parse('{"__proto__":{"topK":1}}');
  await expect(head.predict([1, 1], options)).rejects.toThrow('predict: unknown option "__proto__"');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});
