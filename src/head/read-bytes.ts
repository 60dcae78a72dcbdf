import { CrossheadError } from '../errors.js';
import { shown } from '../validate.js';

/** Where a file may come from; a string is a URL. */
export type Source = URL | string | Blob | ArrayBuffer;

/** How far a download is. */
export interface LoadProgress {
  /** Bytes read so far. */
  readonly loaded: number;
  /** Bytes of the whole file; null where the server does not say. */
  readonly total: number | null;
}

export interface ReadOptions {
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

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
export async function readBytes(
  fn: string,
  source: Source,
  { onProgress, signal }: ReadOptions = {},
): Promise<ArrayBuffer> {
  signal?.throwIfAborted();
  if (source instanceof ArrayBuffer) {
    onProgress?.({ loaded: source.byteLength, total: source.byteLength });
    return source;
  }
  try {
    return source instanceof Blob
      ? await readStream(`${fn}: the Blob`, source.stream(), source.size, { onProgress, signal })
      : await download(fn, String(source), { onProgress, signal });
  } catch (error) {
    // Whatever an abort broke on its way, the caller hears of the abort.
    signal?.throwIfAborted();
    throw error;
  }
}

async function download(fn: string, url: string, options: ReadOptions): Promise<ArrayBuffer> {
  const response = await fetch(url, { signal: options.signal }).catch((cause) => {
    throw new CrossheadError(`${fn}: could not fetch ${brief(url)}: ${cause?.message ?? cause}`, { cause });
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new CrossheadError(
      `${fn}: could not fetch ${brief(url)}: status ${`${response.status} ${response.statusText}`.trim()}`,
    );
  }
  if (!response.body) return new ArrayBuffer(0);
  return readStream(`${fn}: ${brief(url)}`, response.body, lengthOf(response), options);
}

/** The length that a server announces; of a compressed response that is not the length of what arrives. */
function lengthOf({ headers }: Response): number | null {
  const length = Number(headers.get('content-length') ?? Number.NaN);
  return headers.has('content-encoding') || !Number.isSafeInteger(length) ? null : length;
}

async function readStream(
  what: string,
  stream: ReadableStream<Uint8Array>,
  total: number | null,
  { onProgress, signal }: ReadOptions,
): Promise<ArrayBuffer> {
  const reader = stream.getReader();
  const read = () =>
    reader.read().catch((cause) => {
      throw new CrossheadError(`${what} could not be read to its end: ${cause?.message ?? cause}`, { cause });
    });
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  try {
    for (let next = await read(); !next.done; next = await read()) {
      signal?.throwIfAborted();
      chunks.push(next.value);
      loaded += next.value.length;
      onProgress?.({ loaded, total });
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  }
  return joined(chunks, loaded);
}

function joined(chunks: readonly Uint8Array[], length: number): ArrayBuffer {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes.buffer;
}

// A data: URL is as long as its data.
const brief = (url: string): string => (url.length > 200 ? `${url.slice(0, 200)}...` : url);
