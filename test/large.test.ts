// Shapes that exceed what one binding or one dispatch holds, on a device with default limits: 128 MiB a binding, 65,535 workgroups
// a dimension. Answers are checked in rows at the edges of the pieces.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  argmax,
  type Context,
  type ContextOptions,
  createContext,
  crossEntropy,
  linear,
  linearCrossEntropy,
  linearTopK,
  logSumExp,
  sigmoid,
  softmax,
  topK,
} from '../src/index.ts';
import { expectClose } from './support/close.ts';
import { normal } from './support/random.ts';
import * as reference from './support/reference.ts';

async function onDefaultLimits(): Promise<{ options: ContextOptions; device: GPUDevice }> {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice(); // no limits asked for
  return { options: { backend: 'webgpu', device }, device };
}

/** Numbers from a short period, so that 150 MB of them are made in no time; the period is no divisor of a row. */
function repeated(size: number, period = 100_003): Float32Array {
  const short = normal(period, { sigma: 2, seed: 4 });
  const out = new Float32Array(size);
  for (let i = 0; i < size; i += period) out.set(short.subarray(0, Math.min(period, size - i)), i);
  return out;
}

const row = (x: ArrayLike<number>, r: number, classes: number) =>
  Array.from({ length: classes }, (_, c) => x[r * classes + c]);

describe.each(['webgpu', 'cpu'] as const)('%s', (backend) => {
  let context: Context;
  let device: GPUDevice | null = null;
  beforeAll(async () => {
    if (backend === 'cpu') context = await createContext({ backend });
    else {
      const found = await onDefaultLimits();
      device = found.device;
      expect(device.limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
      expect(device.limits.maxComputeWorkgroupsPerDimension).toBe(65_535);
      context = await createContext(found.options);
    }
  });
  afterAll(() => {
    context.dispose();
    device?.destroy();
  });

  it('300 rows of 128,256 classes: more than a binding holds', async () => {
    const [rows, classes] = [300, 128_256];
    const values = repeated(rows * classes);
    const logits = context.tensor(values, [rows, classes]);
    const targets = Int32Array.from({ length: rows }, (_, r) => (r * 7919) % classes);
    const { loss, gradient } = crossEntropy(logits, targets, { gradient: true, reduction: 'none' });
    const losses = await loss.data();
    // The first row, those on both sides of the cut at 128 MiB, and the last.
    const cut = Math.floor((128 * 2 ** 20) / (4 * classes));
    for (const r of [0, cut - 2, cut - 1, cut, cut + 1, rows - 1]) {
      const expected = reference.crossEntropy(row(values, r, classes), [1, classes], [targets[r]], {
        reduction: 'none',
      });
      expectClose([losses[r]], expected.loss, { relative: 2e-6 }, `loss of row ${r}`);
    }
    const best = await argmax(logits).data();
    for (const r of [0, cut, rows - 1])
      expect(best[r]).toBe(reference.argmax(row(values, r, classes), [1, classes])[0]);
    logits.dispose();
    const sums = logSumExp(gradient!);
    expect((await sums.data()).length).toBe(rows);
    const slopes = (await gradient!.data()) as Float32Array;
    for (const r of [0, cut - 1, cut, rows - 1]) {
      const total = row(slopes, r, classes).reduce((a, b) => a + b, 0);
      expectClose([total], [0], { absolute: 1e-5 }, `sum of gradient row ${r}`);
    }
    gradient!.dispose();
  });

  it('100,000 rows of 10, and 4,300,000 of 3: more rows than a dispatch holds workgroups, and than workgroups hold rows', async () => {
    for (const [rows, classes] of [
      [100_000, 10],
      [65_535 * 64 + 70, 3], // one invocation a row, 64 to a workgroup
    ]) {
      const values = repeated(rows * classes);
      const x = context.tensor(values, [rows, classes]);
      const p = await softmax(x).data();
      const best = await argmax(x).data();
      const second = rows < 1e6 ? await topK(x, 2).indices.data() : null; // of millions of rows, it takes the longest by far
      const edges = [0, 1, 63, 64, 65_534, 65_535, 65_536, 65_535 * 64 - 1, 65_535 * 64, 65_535 * 64 + 1, rows - 1];
      for (const r of edges.filter((r) => r < rows)) {
        const x = row(values, r, classes);
        expectClose(row(p, r, classes), reference.softmax(x, [1, classes]), { relative: 2e-6 }, `row ${r}`);
        expect(best[r]).toBe(reference.argmax(x, [1, classes])[0]);
        if (second) expect(row(second, r, 2)).toEqual(Array.from(reference.topK(x, [1, classes], 2).indices));
      }
    }
  });

  it('100,000 rows: the mean over all of them', async () => {
    const values = repeated(100_000 * 10);
    const targets = Int32Array.from({ length: 100_000 }, (_, r) => (r % 11 === 10 ? -100 : r % 10));
    const { loss } = crossEntropy(context.tensor(values, [100_000, 10]), targets);
    const expected = reference.crossEntropy(values, [100_000, 10], targets);
    expectClose(await loss.data(), expected.loss, { relative: 2e-6 });
  });

  it('one row of 1,000,000 classes', async () => {
    const values = repeated(1_000_000);
    values[777_777] = 12;
    const x = context.tensor(values, [1, 1_000_000]);
    const { loss } = crossEntropy(x, [777_777], { gradient: true });
    expectClose(
      await loss.data(),
      reference.crossEntropy(values, [1, 1_000_000], [777_777]).loss,
      { relative: 2e-6 },
      'loss',
    );
    expectClose(
      await logSumExp(x).data(),
      reference.logSumExp(values, [1, 1_000_000]),
      { relative: 1e-6 },
      'logSumExp',
    );
    const p = await softmax(x).data();
    const expected = reference.softmax(values, [1, 1_000_000]);
    const units = expected.map((v) => 2 * (4 + Math.abs(Math.log(v)) / 2 + Math.log2(1e6) / 2));
    expectClose(
      p.map((v, i) => (v - expected[i]) / (expected[i] * 2 ** -23 * units[i])),
      new Float32Array(1_000_000),
      { absolute: 1 },
    );
    expect(await topK(x, 1).indices.array()).toEqual([[777_777]]);
    expect(await argmax(x).array()).toEqual([777_777]);
  });

  // The CPU binds nothing.
  const onGpu = it.runIf(backend === 'webgpu');

  onGpu('elements past the largest binding', async () => {
    const size = 34_000_000; // 136 MB
    const values = repeated(size);
    const p = await sigmoid(context.tensor(values)).data();
    for (const i of [0, 33_554_431, 33_554_432, size - 1]) {
      expectClose([p[i]], reference.sigmoid([values[i]]), { relative: 1e-6 }, `element ${i}`);
    }
  });

  onGpu('a weight past the largest binding', async () => {
    const [classes, depth] = [33_600, 1_024]; // 137 MB
    const values = repeated(classes * depth);
    const features = normal(2 * depth, { seed: 9 });
    const [x, w] = [context.tensor(features, [2, depth]), context.tensor(values, [classes, depth])];
    const made = linear(x, w);
    const logits = await made.data();
    for (const c of [0, 32_703, 32_704, 32_767, 32_768, classes - 1]) {
      const weight = values.subarray(c * depth, (c + 1) * depth);
      const expected = reference.linear(features, weight, depth);
      expectClose([logits[c], logits[classes + c]], expected, { absolute: 1e-3 }, `class ${c}`);
    }
    // The same, of which the logits are not stored: targets on both sides of the cut.
    const of = Int32Array.of(32_767, 32_768);
    const scaled = { temperature: 64, reduction: 'none' } as const;
    const whole = crossEntropy(made, of, { ...scaled, gradient: true });
    const fused = linearCrossEntropy(x, w, of, { ...scaled, gradients: ['features'] });
    expectClose(await fused.loss.data(), await whole.loss.data(), { relative: 4e-6 });
    const slopes = await whole.gradient!.data();
    const expected = new Float64Array(2 * depth);
    for (let r = 0; r < 2; r++) {
      for (let i = 0; i < classes * depth; i++)
        expected[r * depth + (i % depth)] += slopes[r * classes + Math.floor(i / depth)] * values[i];
    }
    expectClose(await fused.gradients!.features!.data(), expected, { absolute: 1e-5 });
    expect(await linearTopK(x, w, 5).indices.data()).toEqual(await topK(made, 5).indices.data());
  });
});
