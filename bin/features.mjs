// Rows of features in a file, read a batch at a time: .npy, or one tensor of a .safetensors file. Nothing of a file is believed.
import { open } from 'node:fs/promises';

const largestHeader = 100_000_000; // of safetensors' own reader; an .npy header has some hundred bytes
const bytesOf = { F64: 8, F32: 4, F16: 2, BF16: 2 };
const npyTypes = { '<f8': 'F64', '<f4': 'F32', '<f2': 'F16' };

/** Whatever is wrong with a file; the message names it. */
export class FeaturesError extends Error {}

/**
 * @param {string} path
 * @param {string} [tensor] of a safetensors file, which; its only matrix if left out
 * @returns {Promise<{ rows: number, depth: number, batches(most: number): AsyncGenerator<Float32Array>, close(): Promise<void> }>}
 *   `batches` gives the rows one after the other, so many at a time at most; close it when done
 */
export async function openFeatures(path, tensor) {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const read = reader(file, path, size);
    const start = await read(0, Math.min(10, size));
    const isNpy = start.toString('latin1', 0, 6) === '\x93NUMPY';
    if (isNpy && tensor !== undefined)
      throw new FeaturesError(`${path} is an .npy file, which has no tensor "${tensor}"`);
    const { dtype, shape, begin, end } = isNpy
      ? await npyMatrix(read, path, start)
      : await safetensorsMatrix(read, path, start, tensor);
    const [rows, depth] = shape.length === 1 ? [1, shape[0]] : shape;
    const bytes = rows * depth * bytesOf[dtype];
    if (end - begin !== bytes || end > size)
      throw new FeaturesError(
        `${path}: ${rows} x ${depth} of ${dtype} take ${bytes} bytes, the file has ${Math.max(0, Math.min(end, size) - begin)}`,
      );
    return {
      rows,
      depth,
      batches: (most) => batches(read, dtype, begin, rows, depth, most),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** @returns {Promise<import('node:fs/promises').FileHandle>} close it when done */
export async function openFile(path) {
  const file = await open(path).catch((cause) => {
    throw new FeaturesError(`${path} cannot be opened: ${cause.code ?? cause.message}`);
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new FeaturesError(`${path} is no file`);
}

/** Reads so many bytes from a place, all or none. */
const reader = (file, path, size) => async (position, length) => {
  if (position + length > size)
    throw new FeaturesError(`${path} ends at byte ${size}; it may be cut short, or no file of features`);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) throw new FeaturesError(`${path} was cut short while it was read`);
    at += bytesRead;
  }
  return bytes;
};

/** The header of numpy.lib.format: a magic, a version, a length, and a Python dict. */
async function npyMatrix(read, path, start) {
  if (start.length < 10) throw new FeaturesError(`${path} ends at byte ${start.length}, in its header`);
  const wide = start[6] > 1;
  if (start[6] < 1 || start[6] > 3) throw new FeaturesError(`${path}: .npy version ${start[6]} is not known`);
  const begin = wide ? 12 : 10;
  const length = wide ? (await read(8, 4)).readUInt32LE() : start.readUInt16LE(8);
  if (length > largestHeader) throw new FeaturesError(`${path}: its header claims ${length} bytes`);
  const header = (await read(begin, length)).toString('latin1');
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const numbers = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (!order || numbers === undefined)
    throw new FeaturesError(`${path}: its header is not that of an .npy file: ${header.slice(0, 100)}`);
  if (!Object.hasOwn(npyTypes, descr ?? '')) {
    throw new FeaturesError(
      `${path} holds ${descr ?? 'records'}; features are ${Object.keys(npyTypes).join(', ')}: save it with .astype('float32')`,
    );
  }
  const shape = numbers.split(',').flatMap((number) => (number.trim() ? [Number(number)] : []));
  expectMatrix(path, shape);
  if (order === 'True' && shape.length > 1)
    throw new FeaturesError(`${path} is in Fortran order: save it with np.ascontiguousarray(features)`);
  const dtype = npyTypes[descr];
  return { dtype, shape, begin: begin + length, end: begin + length + elements(shape) * bytesOf[dtype] };
}

async function safetensorsMatrix(read, path, start, name) {
  const length = start.length < 8 ? 0n : start.readBigUInt64LE();
  if (length < 2n || length > largestHeader)
    throw new FeaturesError(`${path} is neither an .npy nor a .safetensors file`);
  let header;
  try {
    header = JSON.parse((await read(8, Number(length))).toString());
  } catch (error) {
    if (error instanceof FeaturesError) throw error;
    throw new FeaturesError(`${path} is neither an .npy nor a .safetensors file: its header is not JSON`);
  }
  const entries = Object.entries(header ?? {}).filter(([key]) => key !== '__metadata__');
  const list = entries.map(([key, entry]) => `${key} [${entry?.shape}]`).join(', ') || 'no tensors';
  const matrices = entries.filter(([key, entry]) => (name === undefined ? entry?.shape?.length === 2 : key === name));
  if (matrices.length !== 1) {
    const what = name === undefined ? `${matrices.length} matrices: choose one with --tensor` : `no tensor "${name}"`;
    throw new FeaturesError(`${path} holds ${what}. It has ${list}`);
  }
  const [key, entry] = matrices[0];
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  if (!Object.hasOwn(bytesOf, dtype))
    throw new FeaturesError(`${path}: tensor "${key}" is ${dtype}; features are ${Object.keys(bytesOf).join(', ')}`);
  expectMatrix(path, shape);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every((at) => Number.isSafeInteger(at) && at >= 0))
    throw new FeaturesError(`${path}: tensor "${key}" has no sound data_offsets`);
  const data = 8 + Number(length);
  return { dtype, shape, begin: data + offsets[0], end: data + offsets[1] };
}

const elements = (shape) => shape.reduce((product, count) => product * count, 1);

function expectMatrix(path, shape) {
  const sound = Array.isArray(shape) && shape.every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!sound || shape.length < 1 || shape.length > 2 || !Number.isSafeInteger(elements(shape) * 8))
    throw new FeaturesError(
      `${path}: features have shape [rows, depth] or [depth], got [${String(shape).slice(0, 100)}]`,
    );
}

async function* batches(read, dtype, begin, rows, depth, most) {
  const rowBytes = depth * bytesOf[dtype];
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    yield floats(await read(begin + first * rowBytes, count * rowBytes), dtype);
  }
}

function floats({ buffer, byteOffset, byteLength }, dtype) {
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength); // a small Buffer lies anywhere in a shared one
  if (dtype === 'F32') return new Float32Array(bytes);
  if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes));
  const halves = new Uint16Array(bytes);
  if (dtype === 'BF16') return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
  return Float32Array.from(halves, fromHalf);
}

/** The value of 16 bits of IEEE 754 binary16: Node 20 has no Float16Array. */
function fromHalf(half) {
  const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >>> 10) & 31, half & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * (1024 + fraction) * 2 ** (exponent - 25) : sign * fraction * 2 ** -24;
}
