// A safetensors file of which only some tensors are read: a head's weight out of a model of gigabytes.

import { CrossheadError } from '../errors.js';
import { headerEnd, type PlacedTensor, readHeader, type Safetensors } from '../formats/safetensors.js';
import { abortable, openFile, type Range, type ReadOptions, type Source } from './read-bytes.js';

/** Bytes between two tensors that are read along rather than asked for apart. */
const gap = 2 ** 16;

/**
 * The header of a file and, of its tensors, those that are chosen; the others have no values. Reads no more than it needs where the source
 * can be read by parts.
 * @param choose tensors of the file, by name
 */
export function readTensors(
  fn: string,
  source: Source,
  options: ReadOptions,
  choose: (tensors: ReadonlyMap<string, PlacedTensor>) => readonly PlacedTensor[],
): Promise<Safetensors> {
  return abortable(options.signal, async () => {
    const file = await openFile(fn, source, options);
    let { start } = file;
    const known: { begin: number; bytes: ArrayBuffer }[] = [];
    const lies = (bytes: { begin: number; bytes: ArrayBuffer }, begin: number, end: number) =>
      bytes.begin <= begin && end <= bytes.begin + bytes.bytes.byteLength;
    const bytesOf = (begin: number, end: number) => {
      const found = known.find((one) => lies(one, begin, end));
      if (!found) throw new CrossheadError(`${fn}: a tensor was not read that is asked for`);
      return found.bytes.slice(begin - found.begin, end - found.begin);
    };
    const dataStart = headerEnd(start, file.size);
    if (dataStart > start.byteLength) start = appended(start, await file.read([[start.byteLength, dataStart]]));
    known.push({ begin: 0, bytes: start });
    const read = readHeader(start, file.size, bytesOf);
    const missing = choose(read.tensors).filter(({ begin, end }) => !lies(known[0], begin, end));
    const ranges = merged(missing);
    const parts = ranges.length ? await file.read(ranges) : [];
    for (const [i, bytes] of parts.entries()) known.push({ begin: ranges[i][0], bytes });
    return read;
  });
}

function appended(start: ArrayBuffer, [rest]: readonly ArrayBuffer[]): ArrayBuffer {
  const both = new Uint8Array(start.byteLength + rest.byteLength);
  both.set(new Uint8Array(start));
  both.set(new Uint8Array(rest), start.byteLength);
  return both.buffer;
}

function merged(tensors: readonly PlacedTensor[]): Range[] {
  const ranges: [number, number][] = [];
  for (const { begin, end } of [...tensors].sort((a, b) => a.begin - b.begin)) {
    const last = ranges[ranges.length - 1];
    if (last && begin - last[1] <= gap) last[1] = Math.max(last[1], end);
    else ranges.push([begin, end]);
  }
  return ranges;
}
