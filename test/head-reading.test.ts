// How a head reads what it loads: progress, downloads that fail, and aborts.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Context, createContext } from '../src/context.ts';
import { CrossheadError } from '../src/errors.ts';
import { ClassificationHead } from '../src/head/classification-head.ts';
import { animalFile, errorOf } from './support/heads.ts';

describe('reading what is loaded', () => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend: 'cpu' });
  });
  afterAll(() => context.dispose());
  afterEach(() => vi.unstubAllGlobals());

  /** Answers every fetch with the file in three pieces, and says its length or not. */
  function serve(headers: Record<string, string>, broken?: Error): void {
    vi.stubGlobal('fetch', async () => {
      const pieces = [0, 100, 200].map((at, i) => new Uint8Array(animalFile.slice(at, i < 2 ? at + 100 : undefined)));
      const body = new ReadableStream({
        pull(controller) {
          const piece = pieces.shift();
          if (piece) controller.enqueue(piece);
          if (broken) controller.error(broken);
          else if (!pieces.length) controller.close();
        },
      });
      return new Response(body, { headers });
    });
  }

  const url = 'https://models.test/head.safetensors';
  const size = animalFile.byteLength;
  const progressOf = async (source: string | Blob | ArrayBuffer) => {
    const seen: { loaded: number; total: number | null }[] = [];
    const head = await ClassificationHead.load(context, source, { onProgress: (progress) => seen.push(progress) });
    head.dispose();
    return seen;
  };

  test('progress of a download whose length is known', async () => {
    serve({ 'content-length': String(size) });
    expect(await progressOf(url)).toEqual([100, 200, size].map((loaded) => ({ loaded, total: size })));
  });

  test('progress of a download whose length is not known, or is that of the compressed bytes', async () => {
    serve({});
    expect(await progressOf(url)).toEqual([100, 200, size].map((loaded) => ({ loaded, total: null })));
    serve({ 'content-length': '120', 'content-encoding': 'gzip' });
    expect((await progressOf(url)).at(-1)).toEqual({ loaded: size, total: null });
  });

  test('progress of a Blob and of an ArrayBuffer', async () => {
    expect((await progressOf(new Blob([animalFile]))).at(-1)).toEqual({ loaded: size, total: size });
    expect(await progressOf(animalFile)).toEqual([{ loaded: size, total: size }]);
  });

  test('a status that is not OK', async () => {
    vi.stubGlobal('fetch', async () => new Response('no', { status: 404, statusText: 'Not Found' }));
    const error = await errorOf(ClassificationHead.load(context, url));
    expect(error).toBeInstanceOf(CrossheadError);
    expect(error.message).toBe(`ClassificationHead.load: could not fetch ${url}: status 404 Not Found`);
  });

  test('a server that cannot be reached', async () => {
    const cause = new TypeError('Failed to fetch');
    vi.stubGlobal('fetch', async () => Promise.reject(cause));
    const error = await errorOf(ClassificationHead.load(context, url));
    expect(error).toBeInstanceOf(CrossheadError);
    expect(error.message).toBe(`ClassificationHead.load: could not fetch ${url}: Failed to fetch`);
    expect(error.cause).toBe(cause);
  });

  test('a download that breaks off', async () => {
    serve({}, new Error('connection reset'));
    const error = await errorOf(ClassificationHead.load(context, url));
    expect(error).toBeInstanceOf(CrossheadError);
    expect(error.message).toBe(`ClassificationHead.load: ${url} could not be read to its end: connection reset`);
  });

  test('an error of onProgress is the caller’s own', async () => {
    serve({});
    const mine = new Error('mine');
    const onProgress = () => {
      throw mine;
    };
    expect(await errorOf(ClassificationHead.load(context, url, { onProgress }))).toBe(mine);
  });

  test.each(['before', 'at the first piece', 'at the last piece'])('an abort %s', async (when) => {
    serve({ 'content-length': String(size) });
    const controller = new AbortController();
    const reason = { told: 'so' };
    const at = when === 'at the last piece' ? size : 100;
    if (when === 'before') controller.abort(reason);
    const onProgress = ({ loaded }: { loaded: number }) => loaded === at && controller.abort(reason);
    const loading = ClassificationHead.load(context, url, { onProgress, signal: controller.signal });
    await expect(loading).rejects.toBe(reason);
    expect(context.memory().tensors).toBe(0);
  });

  test('an abort while the server is silent', async () => {
    vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => {
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('some other error'))));
    });
    const controller = new AbortController();
    const loading = ClassificationHead.load(context, url, { signal: controller.signal });
    controller.abort();
    await expect(loading).rejects.toBe(controller.signal.reason);
  });

  test('an abort of a Blob', async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => controller.abort() };
    const error = await errorOf(ClassificationHead.load(context, new Blob([animalFile]), options));
    expect(error).toBe(controller.signal.reason);
  });
});
