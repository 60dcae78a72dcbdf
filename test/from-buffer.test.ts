// Tensors over buffers that are the caller's: seen as they are, refused where they do not fit, and never destroyed.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Context, createContext, sigmoid, softmax } from '../src/index.ts';
import { requestDevice, usage, wordsOf } from './support/device.ts';
import { errorOf } from './support/errors.ts';

const { NEGATIVE_INFINITY: masked } = Number;

let device: GPUDevice;
let context: Context;
beforeAll(async () => {
  device = await requestDevice();
  context = await createContext({ device });
});
afterAll(() => device.destroy());

const bufferOf = (size: number, usages: number = usage.all) => device.createBuffer({ size, usage: usages });

it('sees a part of a larger buffer, and never destroys it', async () => {
  const buffer = bufferOf(1024);
  device.queue.writeBuffer(
    buffer,
    0,
    Float32Array.from({ length: 256 }, (_, i) => i),
  );
  const whole = context.memory();
  const x = context.fromBuffer(buffer, [2, 3], { byteOffset: 252 });
  expect(x).toMatchObject({ shape: [2, 3], dtype: 'float32', plan: '' });
  expect(x.buffer).toBe(buffer);
  expect(context.memory()).toEqual({ ...whole, tensors: whole.tensors + 1 });
  expect(await x.array()).toEqual([
    [63, 64, 65],
    [66, 67, 68],
  ]);
  expect(await context.fromBuffer(buffer, [], { byteOffset: 1020 }).array()).toBe(255);
  expect(await context.fromBuffer(buffer, [0], { byteOffset: 1024 }).array()).toEqual([]);
  const integers = context.fromBuffer(buffer, [1], { byteOffset: 4, dtype: 'int32' });
  expect(await integers.array()).toEqual([0x3f800000]);
  expect(await context.fromBuffer(buffer, [3], { byteOffset: 4, dtype: 'float16' }).array()).toEqual([0, 1.875, 0]);
  x.dispose();
  expect((await wordsOf(device, buffer))[1]).toBe(0x3f800000);
});

it('sees what the caller writes later, and work in between', async () => {
  const buffer = bufferOf(8);
  const x = context.fromBuffer(buffer, [2]);
  device.queue.writeBuffer(buffer, 0, Float32Array.of(0, 0));
  const p = softmax(x);
  device.queue.writeBuffer(buffer, 0, Float32Array.of(0, masked));
  expect([await p.array(), await softmax(x).array()]).toEqual([
    [0.5, 0.5],
    [1, 0],
  ]);
});

it("wraps a tensor's own buffer, which stays the tensor's", async () => {
  const x = context.tensor([1, 2, 3, 4]);
  const view = context.fromBuffer(x.buffer!, [2, 2]);
  expect(await view.array()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  view.dispose();
  const others = Array.from({ length: 4 }, () => context.tensor([9, 9, 9, 9]));
  expect(await x.array()).toEqual([1, 2, 3, 4]);
  x.dispose();
  const [a, b] = [context.tensor([5]), context.tensor([6])];
  expect([await a.array(), await b.array()]).toEqual([[5], [6]]);
  for (const other of others) expect(await other.array()).toEqual([9, 9, 9, 9]);
});

it.each<[string, () => unknown, number[], object, ErrorConstructor, string]>([
  ['no buffer', () => null, [1], {}, TypeError, '"buffer" must be a GPUBuffer, got null'],
  ['an array', () => new Float32Array(4), [1], {}, TypeError, '"buffer" must be a GPUBuffer, got Float32Array'],
  ['a wrong usage', () => bufferOf(256, 0xc), [1], {}, TypeError, '"buffer" must have the usage STORAGE, got usage 12'],
  [
    'too small',
    () => bufferOf(256),
    [65],
    {},
    RangeError,
    "shape [65] at byte 0 ends at 260, past the buffer's 256 bytes",
  ],
  [
    'an offset too far',
    () => bufferOf(256),
    [1],
    { byteOffset: 256 },
    RangeError,
    "shape [1] at byte 256 ends at 260, past the buffer's 256 bytes",
  ],
  [
    // Three halves are six bytes, of which the GPU can only see eight.
    'half a word too small',
    () => bufferOf(6),
    [3],
    { dtype: 'float16' },
    RangeError,
    "shape [3] at byte 0 ends at 8, past the buffer's 6 bytes",
  ],
  [
    'an odd offset',
    () => bufferOf(256),
    [1],
    { byteOffset: 2, dtype: 'float16' },
    RangeError,
    '"byteOffset" must be a multiple of 4 from 0, got 2',
  ],
  [
    'a negative offset',
    () => bufferOf(256),
    [1],
    { byteOffset: -4 },
    RangeError,
    '"byteOffset" must be a multiple of 4 from 0, got -4',
  ],
  [
    'an offset of another kind',
    () => bufferOf(256),
    [1],
    { byteOffset: '4' },
    TypeError,
    '"byteOffset" must be a multiple of 4 from 0, got "4"',
  ],
  [
    'a dtype that is none',
    () => bufferOf(256),
    [1],
    { dtype: 'int16' },
    TypeError,
    '"dtype" must be "float32", "float16", "int32", "uint32" or "int8", got "int16"',
  ],
  [
    'an unknown option',
    () => bufferOf(256),
    [1],
    { offset: 4 },
    TypeError,
    'unknown option "offset"; it takes dtype, byteOffset',
  ],
  ['a bad shape', () => bufferOf(256), [-1], {}, RangeError, '"shape" must hold integers from 0, got [-1]'],
])('refuses %s', async (_, make, shape, options, kind, message) => {
  const buffer = make() as GPUBuffer;
  const error = await errorOf(() => context.fromBuffer(buffer, shape, options));
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).toBe(`context.fromBuffer: ${message}`);
});

it('of a device that is not ours, destroyed, mapped or without COPY_SRC: an error when it is read, never numbers', async () => {
  const foreign = await requestDevice();
  const theirs = foreign.createBuffer({ size: 256, usage: usage.all });
  const destroyed = bufferOf(256);
  destroyed.destroy();
  const mapped = device.createBuffer({ size: 256, usage: usage.all, mappedAtCreation: true });
  for (const buffer of [theirs, destroyed, mapped]) {
    const x = context.fromBuffer(buffer, [2, 4]);
    await expect(x.data()).rejects.toThrow('The device refused the work');
    await expect(softmax(x).data()).rejects.toThrow('The device refused the work');
    await expect(sigmoid(softmax(x)).array()).rejects.toThrow('The device refused the work');
    await expect(
      softmax(
        context.tensor([
          [1, 2, 3, 4],
          [1, 2, 3, 4],
        ]),
        { out: x },
      ).data(),
    ).rejects.toThrow('The device refused');
  }
  mapped.unmap();
  const unreadable = context.fromBuffer(bufferOf(256, usage.storage), [4]);
  await expect(unreadable.data()).rejects.toThrow('The device refused the work');
  expect(await softmax(unreadable).array()).toEqual([0.25, 0.25, 0.25, 0.25]); // which is no copy
  await context.finished(); // every failure was told to a reader
  expect(await softmax(context.tensor([0, 0])).array()).toEqual([0.5, 0.5]);
  foreign.destroy();
});
