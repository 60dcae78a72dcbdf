// safetensors: the header's length in 8 little-endian bytes, a JSON header, then the tensors' bytes.
// A file comes from anywhere, so nothing of it is believed: whatever is wrong with it is a WeightsFormatError.

import { WeightsFormatError } from '../errors.js';
import { packHalf, unpackHalf } from '../float16.js';

/** One tensor of a file. */
export interface StoredTensor {
  readonly name: string;
  /** As the file spells it: `F32`, `F16`, `BF16`, `I64`, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** A copy of the values, converted from F32, F16 or BF16; a WeightsFormatError for any other dtype. */
  values(): Float32Array<ArrayBuffer>;
}

/** What a file holds. Maps, not objects: names such as `constructor` mean nothing to them. */
export interface Safetensors {
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Map<string, string>;
}

/** A tensor to write. */
export interface TensorToStore {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** F32 by default; F16 for values that are rounded to it. */
  readonly dtype?: 'F32' | 'F16';
}

interface Extent {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

type JsonObject = Record<string, unknown>;

const lengthBytes = 8;
// A page stands still while a header is parsed, by the 100 MB that the format's own reader allows for half a minute, by these for a third of a
// second. Models of thousands of tensors have headers of less than 1 MB, and 100,000 labels take about as much.
const largestHeader = 4_000_000;
// Of {, [ and :, at which a parser is slowest; in texts too, since metadata may hold JSON. A tensor has seven.
const mostMarks = 200_000;
const marks = new TextEncoder().encode('{[:');
const metadataKey = '__metadata__';

const bytesPerElement = new Map<string, number>([
  ...['F64', 'I64', 'U64', 'C64'].map((dtype): [string, number] => [dtype, 8]),
  ...['F32', 'I32', 'U32'].map((dtype): [string, number] => [dtype, 4]),
  ...['F16', 'BF16', 'I16', 'U16'].map((dtype): [string, number] => [dtype, 2]),
  ...['I8', 'U8', 'BOOL', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0'].map((dtype): [string, number] => [dtype, 1]),
]);

const converters: Record<string, (bytes: ArrayBuffer) => Float32Array<ArrayBuffer>> = {
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => unpackHalf(new Uint16Array(bytes)) as Float32Array<ArrayBuffer>,
  BF16: fromBrainFloats,
};

/** Where the bytes of a tensor lie in its file. */
export interface PlacedTensor extends StoredTensor {
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. The header is checked here; values are converted when they are asked for.
 * @throws WeightsFormatError for a file that is not sound, with what was found and what was expected.
 */
export function readSafetensors(bytes: ArrayBuffer): Safetensors {
  // A copy, because a view would need an offset that is a multiple of the element's size, which files do not promise.
  return readHeader(bytes, bytes.byteLength, (begin, end) => bytes.slice(begin, end));
}

/**
 * What a file holds, from its beginning.
 * @param start as far as `headerEnd` at least
 * @param size of the file; null where it is not known, and the file's end is not checked
 * @param bytesOf a copy of bytes of the file, asked for by `values()`
 */
export function readHeader(
  start: ArrayBuffer,
  size: number | null,
  bytesOf: (begin: number, end: number) => ArrayBuffer,
): Safetensors & { readonly tensors: Map<string, PlacedTensor> } {
  const dataStart = headerEnd(start, size);
  const header = parseHeader(new Uint8Array(start, lengthBytes, dataStart - lengthBytes));
  const tensors = new Map<string, PlacedTensor>();
  const extents: Extent[] = [];
  let metadata = new Map<string, string>();
  for (const name of Object.keys(header)) {
    const entry = header[name];
    if (name === metadataKey) {
      metadata = readMetadata(entry);
      continue;
    }
    const { dtype, shape, extent } = readEntry(name, entry);
    extents.push(extent);
    const [begin, end] = [dataStart + extent.begin, dataStart + extent.end];
    const values = () => convert(name, dtype, () => bytesOf(begin, end));
    tensors.set(name, { name, dtype, shape, begin, end, values });
  }
  checkCover(extents, size === null ? null : size - dataStart);
  return { tensors, metadata };
}

/** Writes tensors, in the order given, as a safetensors file. Every bit of the values is kept. */
export function writeSafetensors(
  tensors: readonly TensorToStore[],
  metadata?: Record<string, string>,
): Uint8Array<ArrayBuffer> {
  const entries: [string, unknown][] = metadata ? [[metadataKey, metadata]] : [];
  let end = 0;
  const stored = tensors.map(({ values, dtype }) =>
    dtype === 'F16' ? packHalf(values).subarray(0, values.length) : values,
  );
  for (const [i, { name, shape, dtype = 'F32' }] of tensors.entries()) {
    const begin = end;
    end += stored[i].byteLength;
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  expectLength(header.length);
  expectFewMarks(header);
  const headerLength = Math.ceil(header.length / 8) * 8; // so that the data is aligned for readers that map the file
  const file = new Uint8Array(lengthBytes + headerLength + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(header, lengthBytes);
  file.fill(0x20, lengthBytes + header.length, lengthBytes + headerLength);
  let at = lengthBytes + headerLength;
  for (const values of stored) {
    // As bytes: floats that pass through a JavaScript number may lose a NaN's payload.
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}

/** Bytes before the data, as the first 8 of a file say. */
export function headerEnd(bytes: ArrayBuffer, size: number | null): number {
  if (bytes.byteLength < lengthBytes) {
    throw wrong(`a file begins with 8 bytes of header length, this one has ${bytes.byteLength} bytes`);
  }
  const length = new DataView(bytes).getBigUint64(0, true);
  expectLength(length);
  const rest = (size ?? Number.POSITIVE_INFINITY) - lengthBytes;
  if (length > rest)
    throw wrong(`the header claims ${length} bytes, but only ${rest} follow; the file may be cut short`);
  return lengthBytes + Number(length);
}

function expectLength(length: number | bigint): void {
  if (length > largestHeader) throw wrong(`the header may have ${largestHeader} bytes, this one claims ${length}`);
}

function expectFewMarks(header: Uint8Array): void {
  const [brace, bracket, colon] = marks;
  let count = 0;
  for (const byte of header) if (byte === brace || byte === bracket || byte === colon) count++;
  if (count > mostMarks) throw wrong(`the header may have ${mostMarks} of {, [ and : in all, this one has ${count}`);
}

function parseHeader(bytes: Uint8Array): JsonObject {
  expectFewMarks(bytes);
  let header: unknown;
  try {
    // A byte order mark is not skipped: the format says that a header begins with "{".
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    // Also what a parser throws for nesting too deep for its stack.
    throw wrong('the header is not JSON in UTF-8; this may not be a safetensors file', cause);
  }
  if (!isObject(header)) throw wrong(`the header must be a JSON object, got ${describe(header)}`);
  return header;
}

function readMetadata(entry: unknown): Map<string, string> {
  if (!isObject(entry)) throw wrong(`"${metadataKey}" must be an object of strings, got ${describe(entry)}`);
  const metadata = new Map<string, string>();
  for (const key of Object.keys(entry)) {
    const value = entry[key];
    if (typeof value !== 'string') {
      throw wrong(`"${metadataKey}" must hold strings, ${quote(key)} is ${describe(value)}`);
    }
    metadata.set(key, value);
  }
  return metadata;
}

function readEntry(name: string, entry: unknown): { dtype: string; shape: number[]; extent: Extent } {
  // Harmless in a Map, but whoever lists the names as an object's keys should not meet it.
  if (name === '__proto__') throw wrong('a tensor may not be named "__proto__"');
  if (!isObject(entry)) throw wrongTensor(name, `must be described by an object, got ${describe(entry)}`);
  const dtype = readDtype(name, own(entry, 'dtype'));
  const shape = readCounts(name, 'shape', own(entry, 'shape'));
  const offsets = readCounts(name, 'data_offsets', own(entry, 'data_offsets'));
  const [begin, end] = offsets;
  if (offsets.length !== 2) throw wrongTensor(name, `data_offsets must be two numbers, got ${offsets.length}`);
  if (end < begin) throw wrongTensor(name, `data_offsets must not end (${end}) before they begin (${begin})`);
  const bytes = elementsIn(name, shape) * bytesPerElement.get(dtype)!;
  if (bytes !== end - begin) {
    throw wrongTensor(
      name,
      `${dtype} of shape [${brief(shape)}] takes ${bytes} bytes, but ${end - begin} are given to it`,
    );
  }
  return { dtype, shape, extent: { name, begin, end } };
}

function readDtype(name: string, dtype: unknown): string {
  if (typeof dtype !== 'string' || !bytesPerElement.has(dtype)) {
    throw wrongTensor(name, `dtype must be one of ${[...bytesPerElement.keys()].join(', ')}, got ${describe(dtype)}`);
  }
  return dtype;
}

function readCounts(name: string, key: string, counts: unknown): number[] {
  if (!Array.isArray(counts)) throw wrongTensor(name, `${key} must be an array, got ${describe(counts)}`);
  const bad = counts.findIndex((count) => !Number.isSafeInteger(count) || count < 0);
  if (bad >= 0) {
    throw wrongTensor(name, `${key} must hold whole numbers from 0, ${key}[${bad}] is ${describe(counts[bad])}`);
  }
  return counts;
}

function elementsIn(name: string, shape: readonly number[]): number {
  let elements = 1;
  for (const length of shape) {
    elements *= length;
    if (elements > Number.MAX_SAFE_INTEGER) throw wrongTensor(name, `shape [${brief(shape)}] has too many elements`);
  }
  return elements;
}

/** As the format demands, the tensors cover the data: no hole, no overlap, nothing left over. */
function checkCover(extents: Extent[], data: number | null): void {
  extents.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of extents) {
    if (begin > covered) {
      throw wrongTensor(name, `begins at byte ${begin} of the data, leaving a hole after byte ${covered}`);
    }
    if (begin < covered) {
      throw wrongTensor(name, `begins at byte ${begin} of the data, overlapping a tensor that ends at ${covered}`);
    }
    if (data !== null && end > data) {
      throw wrongTensor(name, `ends at byte ${end}, but the data has ${data} bytes; the file may be cut short`);
    }
    covered = end;
  }
  if (data !== null && covered < data)
    throw wrong(`the tensors end at byte ${covered}, but the data has ${data} bytes`);
}

function convert(name: string, dtype: string, bytes: () => ArrayBuffer): Float32Array<ArrayBuffer> {
  if (!Object.hasOwn(converters, dtype)) {
    throw wrongTensor(name, `is ${dtype}; only ${Object.keys(converters).join(', ')} can be read as numbers`);
  }
  return converters[dtype](bytes());
}

function fromBrainFloats(bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  const halves = new Uint16Array(bytes);
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i] << 16;
  return new Float32Array(words.buffer);
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (entry: JsonObject, key: string): unknown => (Object.hasOwn(entry, key) ? entry[key] : undefined);

const wrong = (message: string, cause?: unknown): WeightsFormatError =>
  new WeightsFormatError(`safetensors: ${message}`, cause === undefined ? undefined : { cause });

const wrongTensor = (name: string, message: string): WeightsFormatError => wrong(`tensor ${quote(name)} ${message}`);

// What a hostile file holds may be long or nested without end, so messages show the outermost of it only.
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'an array';
  return isObject(value) ? 'an object' : String(value);
}

const quote = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);

const brief = (shape: readonly number[]): string => shape.slice(0, 8).join(', ') + (shape.length > 8 ? ', ...' : '');
