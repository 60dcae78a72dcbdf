import { CrossheadError } from '../errors.js';
import { shown } from '../validate.js';

/** Where a file may come from; a string is a URL. */
export type Source = URL | string | Blob | ArrayBuffer;

/** How far a download is. */
export interface LoadProgress {
  /** Bytes read so far. */
  readonly loaded: number;
  /** Bytes to be read: of the whole file, or of the parts of it that are needed. Null where that is not known, or not yet. */
  readonly total: number | null;
}

export interface ReadOptions {
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
  maxBytes?: number;
}

/** A file that is read by parts. */
export interface OpenFile {
  /** The first bytes: all of a small file, or where the source has no parts. */
  readonly start: ArrayBuffer;
  /** Of the file; null where the server does not say. */
  readonly size: number | null;
  /** Bytes of the file after those that are known already; the ranges are in order, and told of all at once. */
  read(ranges: readonly Range[]): Promise<ArrayBuffer[]>;
}

export type Range = readonly [begin: number, end: number];

/** Most headers end before this, and small files with them. */
const startBytes = 2 ** 16;

export const isSource = (value: unknown): value is Source =>
  typeof value === 'string' || value instanceof URL || value instanceof Blob || value instanceof ArrayBuffer;

export function expectSource(fn: string, name: string, source: unknown): void {
  if (isSource(source)) return;
  throw new TypeError(`${fn}: "${name}" must be a URL, a string, a Blob or an ArrayBuffer, got ${shown(source)}`);
}

/**
 * All bytes of a source. Rejects with `signal.reason` once the signal is aborted, and with a CrossheadError that names the URL
 * where it cannot be fetched.
 */
export function readBytes(fn: string, source: Source, options: ReadOptions = {}): Promise<ArrayBuffer> {
  return abortable(options.signal, async () => {
    const meter = new Meter(fn, source, options);
    if (source instanceof ArrayBuffer) return meter.whole(source);
    if (source instanceof Blob) return meter.stream(source.stream(), source.size);
    return meter.body(await request(fn, String(source), options.signal));
  });
}

/** Opens a source to be read by parts: a Blob, and a URL whose server answers range requests. Others are read whole. */
export function openFile(fn: string, source: Source, options: ReadOptions = {}): Promise<OpenFile> {
  return abortable(options.signal, async () => {
    const meter = new Meter(fn, source, options);
    if (source instanceof ArrayBuffer) return entire(meter.whole(source));
    return source instanceof Blob ? openBlob(source, meter) : openUrl(fn, String(source), meter, options.signal);
  });
}

/** Whatever an abort broke on its way, the caller hears of the abort. */
export async function abortable<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await run();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

const entire = (bytes: ArrayBuffer): OpenFile => ({
  start: bytes,
  size: bytes.byteLength,
  read: async (ranges) => ranges.map(([begin, end]) => bytes.slice(begin, end)),
});

const sum = (ranges: readonly Range[]): number => ranges.reduce((bytes, [begin, end]) => bytes + end - begin, 0);

async function openBlob(blob: Blob, meter: Meter): Promise<OpenFile> {
  const small = blob.size <= startBytes;
  const part = ([begin, end]: Range) => blob.slice(begin, end).stream();
  const start = await meter.stream(part([0, startBytes]), small ? blob.size : null);
  if (small) return entire(start);
  const read = async (ranges: readonly Range[]) => {
    const total = meter.expect(sum(ranges));
    const parts: ArrayBuffer[] = [];
    for (const range of ranges) parts.push(await meter.stream(part(range), total));
    return parts;
  };
  return { start, size: blob.size, read };
}

async function openUrl(fn: string, url: string, meter: Meter, signal?: AbortSignal): Promise<OpenFile> {
  const ask = ([begin, end]: Range) => request(fn, url, signal, `bytes=${begin}-${end - 1}`);
  // Of what lies in memory already, parts are no gain; and a server that refuses the request may answer a plain one.
  const local = /^(blob|data):/i.test(url);
  let response = local ? null : await ask([0, startBytes]).catch(() => null);
  signal?.throwIfAborted();
  if (response && !answersRange(response, 0)) {
    if (response.status === 200) return entire(await meter.body(response));
    await response.body?.cancel();
    response = null;
  }
  if (!response) return entire(await meter.body(await request(fn, url, signal)));
  const first = response;
  const size = sizeIn(first);
  const small = size !== null && size <= startBytes;
  const start = await meter.body(first, small ? size : null);
  if (small || (size === null && start.byteLength < startBytes)) return entire(start);
  const read = async (ranges: readonly Range[]) => {
    const total = meter.expect(sum(ranges));
    const parts: ArrayBuffer[] = [];
    for (const range of ranges) {
      const answer = await ask(range);
      if (!answersRange(answer, range[0]) || !sameFile(first, answer)) {
        await answer.body?.cancel();
        throw new CrossheadError(
          `${fn}: ${brief(url)} changed while it was read, or its server stopped answering range requests`,
        );
      }
      const bytes = await meter.body(answer, total);
      const asked = range[1] - range[0];
      if (bytes.byteLength !== asked)
        throw new CrossheadError(`${fn}: ${brief(url)} gave ${bytes.byteLength} bytes where ${asked} were asked for`);
      parts.push(bytes);
    }
    return parts;
  };
  return { start, size, read };
}

/** @param range an HTTP range, which a server may ignore */
async function request(fn: string, url: string, signal?: AbortSignal, range?: string): Promise<Response> {
  const response = await fetch(url, { signal, ...(range && { headers: { range } }) }).catch((cause) => {
    throw new CrossheadError(`${fn}: could not fetch ${brief(url)}: ${cause?.message ?? cause}`, { cause });
  });
  if (response.ok) return response;
  await response.body?.cancel();
  throw new CrossheadError(
    `${fn}: could not fetch ${brief(url)}: status ${`${response.status} ${response.statusText}`.trim()}`,
  );
}

/** Of another origin, a page may not see the header that says which bytes these are. */
function answersRange({ status, headers }: Response, begin: number): boolean {
  const said = headers.get('content-range');
  return status === 206 && !headers.has('content-encoding') && (said === null || said.startsWith(`bytes ${begin}-`));
}

function sizeIn({ headers }: Response): number | null {
  const size = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
  return size === undefined ? null : Number(size);
}

const sameFile = (a: Response, b: Response): boolean =>
  sizeIn(a) === sizeIn(b) && ['etag', 'last-modified'].every((name) => a.headers.get(name) === b.headers.get(name));

/** The length that a server announces; of a compressed response that is not the length of what arrives. */
function lengthOf({ headers }: Response): number | null {
  const length = Number(headers.get('content-length') ?? Number.NaN);
  return headers.has('content-encoding') || !Number.isSafeInteger(length) ? null : length;
}

/** Reads streams: counts their bytes, tells of them, and lets no more than so many pass. */
class Meter {
  readonly #what: string;
  readonly #options: ReadOptions;
  #loaded = 0;

  constructor(fn: string, source: Source, options: ReadOptions) {
    const blob = source instanceof Blob ? 'the Blob' : 'the ArrayBuffer';
    this.#what = `${fn}: ${typeof source === 'string' || source instanceof URL ? brief(String(source)) : blob}`;
    this.#options = options;
  }

  /** So many bytes more are to come: all bytes, if they may. */
  expect(more: number): number {
    const total = this.#loaded + more;
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (total > maxBytes)
      throw new CrossheadError(`${this.#what} takes ${total} bytes or more, and "maxBytes" allows ${maxBytes}`);
    return total;
  }

  whole(bytes: ArrayBuffer): ArrayBuffer {
    this.#count(bytes.byteLength, bytes.byteLength);
    return bytes;
  }

  async body(response: Response, total: number | null = lengthOf(response)): Promise<ArrayBuffer> {
    return response.body ? this.stream(response.body, total) : new ArrayBuffer(0);
  }

  async stream(stream: ReadableStream<Uint8Array>, total: number | null): Promise<ArrayBuffer> {
    const reader = stream.getReader();
    const read = () =>
      reader.read().catch((cause) => {
        throw new CrossheadError(`${this.#what} could not be read to its end: ${cause?.message ?? cause}`, { cause });
      });
    const chunks: Uint8Array[] = [];
    try {
      if (total !== null) this.expect(total - this.#loaded);
      for (let next = await read(); !next.done; next = await read()) {
        this.#options.signal?.throwIfAborted();
        chunks.push(next.value);
        this.#count(next.value.length, total);
      }
    } catch (error) {
      await reader.cancel(error).catch(() => {});
      throw error;
    }
    return joined(chunks);
  }

  #count(bytes: number, total: number | null): void {
    this.#loaded = this.expect(bytes);
    this.#options.onProgress?.({ loaded: this.#loaded, total });
  }
}

function joined(chunks: readonly Uint8Array[]): ArrayBuffer {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes.buffer;
}

// A data: URL is as long as its data.
const brief = (url: string): string => (url.length > 200 ? `${url.slice(0, 200)}...` : url);
