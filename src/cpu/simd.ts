import type { Numbers } from './add-product.js';
import { firstAddress, WasmHeap } from './heap.js';
import type { Heap, Kernels } from './kernels.js';
import { binary, fusedBytes } from './simd-binary.js';

/** What wasm/ exports. Arrays are addresses, 0 for one that the call does not have. */
type Exports = Record<
  | 'addProduct'
  | 'argExtremeRows'
  | 'linearRows'
  | 'logSoftmaxRows'
  | 'scaledRows'
  | 'softmaxRows'
  | 'sumRows'
  | 'topKRows',
  Call<void>
> & { crossEntropyRows: Call<number> };
type Call<R> = (...numbers: (number | boolean)[]) => R;
type Maybe = Numbers | null | undefined;

/** Putting an answer among the k best moves half of them, on average; for more, a heap is better. */
const mostBest = 32;

const addressOf = (array: Maybe): number => array?.byteOffset ?? 0;

/** Whether classes lie side by side, and all arrays in one memory. */
const fits = (rows: { readonly inner: number }, first: Numbers, ...others: Maybe[]) =>
  rows.inner === 1 && others.every((array) => !array || array.buffer === first.buffer);

/** Where the memory has room for what loops make on the way: columns that are packed, two numbers for each row of a tile, and the tile. */
const packedAt = firstAddress;
const pairsAt = packedAt + 32768;
const tileAt = pairsAt + 8192;

const isFloats = (...arrays: Numbers[]) => arrays.every((array) => array instanceof Float32Array);

const kernelsOf = (wasm: Exports, memory: WebAssembly.Memory, mostTile: number): Kernels => ({
  addProduct(a, turned, b, sums, rows, depth, columns) {
    if (!(isFloats(a, b, sums) && fits({ inner: 1 }, a, b, sums))) return false;
    const [row, step] = turned ? [4, 4 * rows] : [4 * depth, 4];
    wasm.addProduct(addressOf(a), row, step, addressOf(b), addressOf(sums), rows, depth, columns, packedAt);
    return true;
  },

  argExtremeRows(x, indices, rows, least) {
    if (!(x instanceof Float32Array && fits(rows, x, indices))) return false;
    wasm.argExtremeRows(addressOf(x), addressOf(indices), rows.count, rows.classes, least);
    return true;
  },

  crossEntropyRows(arrays, rows, settings, { none, divisor }) {
    const { logits, targets, classWeights, sampleWeights, upstream, loss, gradient, correct, logSumExps } = arrays;
    const all = [logits, targets, classWeights, sampleWeights, upstream, loss, gradient, correct, logSumExps];
    const { ignoreIndex, smoothing, zLoss, softcap, temperature } = settings;
    if (!targets || smoothing || softcap || !fits(rows, logits, ...all)) return false;
    const options = [none, divisor, ignoreIndex !== null, ignoreIndex ?? 0, zLoss, temperature];
    const sum = wasm.crossEntropyRows(...all.map(addressOf), rows.count, rows.classes, ...options);
    if (!none) loss[0] = divisor === 0 ? Number.NaN : sum / divisor;
    return true;
  },

  linearRows(features, weight, bias, result, depth, classes, strict) {
    if (!fits({ inner: 1 }, features, weight, bias, result)) return false;
    const rows = classes ? result.length / classes : 0;
    wasm.linearRows(...[features, weight, bias, result].map(addressOf), rows, depth, classes, strict);
    return true;
  },

  sumRows(tile, rows, classes, temperature) {
    wasm.sumRows(addressOf(tile), pairsAt, rows, classes, 1 / temperature);
    return this.pairs(rows);
  },

  pairs: (rows) => new Float64Array(memory.buffer, pairsAt, 2 * rows),

  scaledRows(tile, pairs, classes, temperature) {
    wasm.scaledRows(addressOf(tile), addressOf(pairs), pairs.length / 2, classes, 1 / temperature);
  },

  softmaxRows(logits, result, rows, temperature, log) {
    if (!fits(rows, logits, result)) return false;
    const run = log ? wasm.logSoftmaxRows : wasm.softmaxRows;
    run(addressOf(logits), addressOf(result), rows.count, rows.classes, 1 / temperature);
    return true;
  },

  tile: (length) => (length <= mostTile ? new Float32Array(memory.buffer, tileAt, length) : null),

  topKRows(x, values, indices, rows, k) {
    if (!(k <= mostBest && x instanceof Float32Array && fits(rows, x, values, indices))) return false;
    wasm.topKRows(...[x, values, indices].map(addressOf), rows.count, rows.classes, k);
    return true;
  },
});

/** Both modules: with products that are rounded once with their sums, for engines that know relaxed SIMD, and without. */
async function inflate(): Promise<Uint8Array<ArrayBuffer>[]> {
  const deflated = Uint8Array.from(atob(binary), (character) => character.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const both = new Uint8Array(await new Response(stream).arrayBuffer());
  return [both.subarray(0, fusedBytes), both.subarray(fusedBytes)];
}

let modules: ReturnType<typeof inflate> | undefined;
const compiled = new Map<unknown, Promise<WebAssembly.Module>>();

/**
 * @param known where the heap enters its kernels
 * @param mostTile floats of the largest tile
 * @throws (rejects) where the engine knows no SIMD, a content-security policy refuses WebAssembly, or there is no memory
 */
export async function openHeap(known: WeakMap<ArrayBufferLike, Kernels>, mostTile: number): Promise<Heap> {
  modules ??= inflate();
  const [fused, plain] = await modules;
  const bytes = WebAssembly.validate(fused) ? fused : plain;
  const module = compiled.get(bytes) ?? WebAssembly.compile(bytes);
  compiled.set(bytes, module);
  const memory = new WebAssembly.Memory({ initial: 32 });
  const { exports } = await WebAssembly.instantiate(await module, { env: { memory } });
  const kernels = kernelsOf(exports as Exports, memory, mostTile);
  return new WasmHeap(memory, (buffer) => known.set(buffer, kernels), tileAt + 4 * mostTile);
}
