// WebAssembly SIMD on the CPU beside the plain loops: shapes at the edges of vectors and blocks, options, special rows; and its memory.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CpuBackend } from '../src/cpu/backend.ts';
import { WasmHeap } from '../src/cpu/heap.ts';
import {
  argmax,
  argmin,
  brierLoss,
  type Context,
  type CrossEntropyOptions,
  createContext,
  crossEntropy,
  entropyLoss,
  focalLoss,
  klDivergence,
  type LinearCrossEntropyOptions,
  type LossResult,
  linear,
  linearCrossEntropy,
  linearTopK,
  logSoftmax,
  logSumExp,
  logSumExpGradient,
  softmax,
  type Tensor,
  topK,
} from '../src/index.ts';
import { expectClose, type Tolerance } from './support/close.ts';
import { normal } from './support/random.ts';

/** Vectors of four, sixteen at a time, blocks of 256. */
const edges = [...Array.from({ length: 33 }, (_, i) => i + 1), 63, 64, 65, 255, 256, 257, 259, 511, 513, 1025];

/** On the module of the engine, and on the one of engines without relaxed SIMD. */
let simd: Context[];
let plain: Context;
beforeAll(async () => {
  const own = await createContext({ backend: 'cpu' });
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  simd = [own, await createContext({ backend: 'cpu' })];
  expect(validate).toHaveBeenCalledTimes(1);
  validate.mockRestore();
  plain = await createContext({ backend: 'cpu', simd: false });
});
afterAll(() => {
  for (const context of [...simd, plain]) context.dispose();
});

/** Calls on all, and holds each result to the plain one, by default where floats are within `relative`. */
async function agree(
  call: (context: Context) => Record<string, Tensor | undefined>,
  relative: number | ((expected: ArrayLike<number>, name: string) => Tolerance) = 2e-6,
) {
  const theirs = Object.entries(call(plain)).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
  const all = simd.map(call);
  for (const [name, tensor] of theirs) {
    const expected = await tensor.data();
    const floats = typeof relative === 'number' ? { relative, absolute: 2 ** -126 } : relative(expected, name);
    const bounds = tensor.dtype === 'int32' ? { absolute: 0 } : floats;
    for (const ours of all) expectClose(await ours[name]!.data(), expected, bounds, `${name} [${tensor.shape}]`);
    for (const ours of [...all, { [name]: tensor }]) ours[name]!.dispose();
  }
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values, Math.abs).reduce((most, v) => (v > most ? v : most), 0);
const ofLargest = (relative: number) => (expected: ArrayLike<number>) => ({ absolute: relative * largest(expected) });

/** Rows of a few classes that are special, after one that is not. */
function specialRows(classes: number): Float32Array {
  const rows: ((c: number) => number)[] = [
    (c) => Math.sin(c * 7) * 5,
    (c) => (c === classes - 1 ? Number.NaN : c),
    (c) => (c === classes - 1 ? Infinity : c),
    () => -Infinity,
    (c) => (c === 0 ? 2 : -Infinity),
    (c) => (c % 2 ? -Infinity : c / 8),
    (c) => (c % 3 ? 3e38 : -3e38),
    () => 3e38,
    (c) => (c === classes >> 1 ? 30 : Math.cos(c)),
    (c) => (c % 2 ? 0 : -0),
    (c) => (c === 0 ? Number.NaN : -Infinity),
  ];
  return Float32Array.from({ length: rows.length * classes }, (_, i) => rows[Math.floor(i / classes)](i % classes));
}

const values = (rows: number, classes: number) => normal(rows * classes, { sigma: 4, seed: classes });

describe('beside the plain loops', () => {
  it.each(edges)('%i classes', async (classes) => {
    const special = specialRows(classes);
    for (const data of [values(5, classes), special]) {
      const rows = data.length / classes;
      const of = (context: Context) => context.tensor(data, [rows, classes]);
      for (const temperature of [1, 0.7]) {
        // exp turns what rounding leaves of a distance of up to 30 into as many units.
        await agree((context) => ({ p: softmax(of(context), { temperature }) }), 4e-6);
        await agree((context) => ({ logP: logSoftmax(of(context), { temperature }) }));
      }
      await agree((context) => ({ most: argmax(of(context)), least: argmin(of(context)) }));
      for (const k of [1, 5, 32]) if (k <= classes) await agree((context) => ({ ...topK(of(context), k) }));
    }
  });

  const options: CrossEntropyOptions[] = [
    {},
    { reduction: 'none', metrics: true },
    { reduction: 'sum', temperature: 0.7, zLoss: 0.01, metrics: true },
    { ignoreIndex: null, upstream: 3 },
  ];
  it.each([1, 2, 3, 4, 7, 10, 33, 257])('crossEntropy of %i classes', async (classes) => {
    for (const data of [values(11, classes), specialRows(classes)]) {
      const targets = Int32Array.from({ length: 11 }, (_, r) => (r * 3) % classes);
      const weights = Float32Array.from({ length: 11 }, (_, r) => (r === 2 || r === 5 ? 0 : 1 + r / 4));
      const classWeights = Float32Array.from({ length: classes }, (_, c) => (c === 3 ? 0 : 0.5 + c / 8));
      for (const option of options) {
        for (const extra of [{}, { sampleWeights: weights }, { classWeights }]) {
          const missed = targets.map((target, r) =>
            r === 4 ? (option.ignoreIndex === null ? classes : -100) : target,
          );
          const call = (context: Context, gradient: boolean) => {
            // In a tensor, where a target that is no class gives NaN.
            const t = context.tensor(missed);
            return crossEntropy(context.tensor(data, [11, classes]), t, { ...option, ...extra, gradient });
          };
          await agree((context) => ({ ...call(context, false) }));
          await agree(
            (context) => {
              const { loss, gradient } = call(context, true);
              return { loss, gradient };
            },
            (expected, name) => ({ relative: 2e-6, absolute: name === 'loss' ? 0 : 1e-6 * largest(expected) }),
          );
        }
      }
    }
  });

  it.each([63, 64, 65, 259, 1025])('losses that take all shares of a row, of %i classes', async (classes) => {
    for (const data of [values(5, classes), specialRows(classes)]) {
      const rows = data.length / classes;
      const targets = Array.from({ length: rows }, (_, r) => (7 * r) % classes);
      const shape = [rows, classes];
      const tolerance = 4e-6;
      const call = async (loss: (x: Tensor, labels: Tensor) => LossResult) => {
        const both = (context: Context) => {
          const x = context.tensor(data, shape);
          const labels = softmax(context.tensor(normal(rows * classes, { sigma: 2, seed: 3 }), shape));
          const { loss: losses, gradient } = loss(x, labels);
          for (const tensor of [x, labels]) tensor.dispose();
          return { losses, gradient };
        };
        // Of a derivative near 0, p - t, what was rounded is p.
        await agree(both, (_, name) => ({ relative: tolerance, absolute: name === 'losses' ? 0 : tolerance / 4 }));
      };
      const options = { gradient: true, reduction: 'none' } as const;
      await call((x) => crossEntropy(x, targets, { ...options, labelSmoothing: 0.1 }));
      await call((x) => crossEntropy(x, targets, { ...options, softcap: 5, temperature: 0.7 }));
      await call((x, labels) => crossEntropy(x, labels, { ...options, zLoss: 0.01 }));
      await call((x, labels) => klDivergence(x, labels, { ...options, temperature: 2 }));
      await call((x, labels) => brierLoss(x, labels, options));
      await call((x) => focalLoss(x, targets, options));
      await call((x) => entropyLoss(x, options));
      const upstream = Float32Array.from({ length: rows }, (_, r) => 1 - r / 8);
      await call((x) => ({ loss: logSumExp(x), gradient: logSumExpGradient(x, x.context.tensor(upstream)) }));
    }
  });

  it('crossEntropy of capped logits keeps the digits of a confident row', async () => {
    const row = Array.from({ length: 64 }, (_, c) => (c ? -60 : 12.7));
    await agree((context) => ({ ...crossEntropy(context.tensor([row]), [0], { softcap: 30, gradient: true }) }));
  });

  it('crossEntropy writes its gradient over the logits', async () => {
    await agree((context) => {
      const logits = context.tensor(values(6, 37), [6, 37]);
      const { loss } = crossEntropy(logits, [0, 36, -100, 3, 4, 5], { gradientOut: logits, metrics: true });
      return { loss, logits };
    }, 4e-6);
  });

  // A row is summed beside what its first 64 classes hold: far above them it is summed once more, and with logits above 8000 otherwise.
  it.each([100, 500])('a class far above the first ones, of %i', async (classes) => {
    const far = [70, 79, 81, 200, 7900, 8100, 3e38, Infinity];
    for (const offset of [0, -7950, 8100, -1e6]) {
      const data = Float32Array.from({ length: far.length * classes }, (_, i) => {
        const c = i % classes;
        return offset + (c === classes - 30 ? far[Math.floor(i / classes)] : Math.sin(c) * 9);
      });
      const of = (context: Context) => context.tensor(data, [far.length, classes]);
      const targets = far.map((_, r) => (r % 2 ? classes - 30 : 7));
      await agree((context) => ({ p: softmax(of(context)), logP: logSoftmax(of(context)) }), 8e-6);
      await agree((context) => ({ ...crossEntropy(of(context), targets, { reduction: 'none', metrics: true }) }), 8e-6);
      await agree((context) => {
        const [x, y] = [of(context), of(context)];
        crossEntropy(x, targets, { gradientOut: x });
        return { gradient: crossEntropy(y, targets, { gradient: true }).gradient, over: x };
      }, ofLargest(4e-6));
    }
  });

  it.each([0, 1, 3, 4, 5, 31, 32, 33, 1023, 1024, 1025, 2051])('linear of depth %i', async (depth) => {
    for (const rows of [1, 2, 3]) {
      for (const classes of [1, 2, 3, 4, 5, 9]) {
        const [f, w, b] = [
          values(rows, depth),
          values(classes, depth + 1).slice(0, classes * depth),
          values(1, classes),
        ];
        const of = (context: Context) =>
          linear(context.tensor(f, [rows, depth]), context.tensor(w, [classes, depth]), rows > 1 ? { bias: b } : {});
        await agree(
          (context) => ({ [`${rows} x ${depth} x ${classes}`]: of(context) }),
          () => ({ absolute: 1e-6 * 16 * Math.sqrt(Math.max(1, depth)) }),
        );
      }
    }
  });
});

describe('a head whose logits are not stored, beside the plain loops', () => {
  // Blocks are of 64 classes and 512 rows, the tiles of gradients of 2 rows and 16 columns and of a depth of 512.
  const sizes = [
    [1, 16, 64],
    [5, 7, 130],
    [3, 33, 65],
    [515, 4, 3],
  ] as const;
  const options: LinearCrossEntropyOptions[] = [
    {},
    { reduction: 'sum', temperature: 0.7, zLoss: 0.01, metrics: true },
    { reduction: 'none', labelSmoothing: 0.1, metrics: true },
    { softcap: 3 },
  ];
  it.each(sizes)('%i rows, a depth of %i, %i classes', async (rows, depth, classes) => {
    const features = values(rows, depth);
    if (rows > 4) features.fill(Number.NaN, 2 * depth, 3 * depth);
    const weight = normal(classes * depth, { sigma: depth ** -0.5, seed: 3 });
    const bias = Float32Array.from({ length: classes }, (_, c) => (c === 1 ? -Infinity : Math.cos(c)));
    const targets = Int32Array.from({ length: rows }, (_, r) => (r === 2 ? -100 : (r * 7) % classes));
    const operands = (context: Context) => {
      const cut = (classes >> 1) * depth;
      const blocks = [weight.subarray(0, cut), weight.subarray(cut)].map((block) =>
        context.tensor(block, [block.length / depth, depth]),
      );
      return [context.tensor(features, [rows, depth]), blocks] as const;
    };
    for (const option of options) {
      for (const extra of [{}, { classWeights: Float32Array.from({ length: classes }, (_, c) => 0.5 + (c % 5)) }]) {
        await agree(
          (context) => {
            const result = linearCrossEntropy(...operands(context), targets, {
              ...option,
              ...extra,
              bias,
              gradients: true,
            });
            const { features, weight, bias: byBias } = result.gradients!;
            const [first, second] = weight as Tensor[];
            const { loss, correct, logSumExp } = result;
            return { loss, correct, logSumExp, features, first, second, byBias };
          },
          (expected) => ({ relative: 4e-6, absolute: 4e-6 * largest(Array.from(expected).filter(Number.isFinite)) }),
        );
      }
    }
    for (const k of [1, 3])
      for (const activation of ['softmax', 'none'] as const)
        await agree(
          (context) => ({ ...linearTopK(...operands(context), k, { bias, activation }) }),
          () => ({ relative: 1e-5, absolute: 1e-5 }),
        );
  });
});

describe('the heap', () => {
  const heapOf = (pages: number, maximum: number) =>
    new WasmHeap(new WebAssembly.Memory({ initial: pages, maximum }), () => {});

  it('gives places that do not overlap, and takes them back whole', () => {
    const heap = heapOf(1, 1);
    const taken = [1, 16, 17, 1000, 0].map((bytes) => ({ bytes, at: heap.reserve(bytes)! }));
    for (const { at, bytes } of taken) {
      expect(at % 16).toBe(0);
      for (const other of taken) if (other.at > at) expect(other.at).toBeGreaterThanOrEqual(at + Math.max(16, bytes));
    }
    for (const i of [1, 3, 2, 0, 4]) heap.free(taken[i].at, taken[i].bytes); // joined with what is before, after, both
    expect(heap.reserve(65536 - 1024)).toBe(1024);
    expect(heap.reserve(1)).toBeNull();
  });

  it('grows to what is asked for, up to its maximum', () => {
    const heap = heapOf(1, 3);
    const { buffer } = heap;
    expect(heap.reserve(130_000)).not.toBeNull();
    expect(heap.buffer).not.toBe(buffer);
    expect(heap.buffer.byteLength).toBe(2 * 65536);
    expect(heap.reserve(100_000)).toBeNull();
    expect(heap.reserve(60_000)).not.toBeNull();
  });

  it('leaves to plain arrays what it has no room for', async () => {
    const backend = new CpuBackend(heapOf(1, 1));
    const spec = { dtype: 'float32', shape: [70_000] } as const;
    const storage = backend.upload(spec, new Float32Array(70_000).fill(3));
    expect(backend.memory()).toEqual({ buffers: 1, bytesInUse: 280_000, bytesAllocated: 280_000 + 65536 });
    expect((await backend.read(storage))[69_999]).toBe(3);
    backend.release(storage);
    expect(backend.memory()).toEqual({ buffers: 0, bytesInUse: 0, bytesAllocated: 65536 });
  });

  it('keeps tensors through its growth, and does not grow in a steady loop', async () => {
    using context = await createContext({ backend: 'cpu' });
    const first = context.tensor([1, 2, 3]);
    const call = async () => {
      const x = context.tensor(new Float32Array(300_000), [3, 100_000]);
      const { loss, gradient } = crossEntropy(x, [1, 2, 3], { gradient: true });
      await loss.data();
      for (const tensor of [x, loss, gradient!]) tensor.dispose();
    };
    await call();
    const after = context.memory();
    expect(after.bytesAllocated).toBeGreaterThan(2_400_000);
    for (let i = 0; i < 50; i++) await call();
    expect(context.memory()).toEqual(after);
    expect(await softmax(first, { out: first }).array()).toEqual(await softmax(plain.tensor([1, 2, 3])).array());
    const data = await first.data();
    context.tensor(new Float32Array(4_000_000)); // grows again: what was read stays
    expect(data.length).toBe(3);
  });

  it("copies a caller's array before the call returns", async () => {
    for (const context of [...simd, plain]) {
      const own = Float32Array.of(1, 2);
      const tensor = context.tensor(own);
      own.fill(9);
      expect(await tensor.array()).toEqual([1, 2]);
    }
  });
});

describe('without WebAssembly', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('computes in plain loops, and says so', async () => {
    expect(plain.reason).toBe('The CPU was asked for. It computes in plain JavaScript: "simd" is false.');
    vi.stubGlobal('WebAssembly', undefined);
    using context = await createContext({ backend: 'cpu' });
    expect(context.reason).toMatch(/^The CPU was asked for\. It computes in plain JavaScript: \w*Error: .+\.$/);
    expect(await softmax(context.tensor([0, 0])).array()).toEqual([0.5, 0.5]);
  });
});
