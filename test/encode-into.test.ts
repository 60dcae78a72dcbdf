// Work that is recorded into a caller's encoder: what runs when, and that nothing is answered before it has run.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  argmax,
  type Context,
  CrossheadError,
  createContext,
  crossEntropy,
  DisposedError,
  infoNCE,
  sgd,
  sigmoid,
  softmax,
  type Tensor,
  topK,
} from '../src/index.ts';
import { calls, numbers } from './support/calls.ts';
import { type Counts, countCalls, requestDevice, usage } from './support/device.ts';
import { errorOf } from './support/errors.ts';

let device: GPUDevice;
let context: Context;
let counts: Counts;
let x: Tensor;
const uncaptured: string[] = [];
beforeAll(async () => {
  device = await requestDevice();
  device.onuncapturederror = ({ error }) => uncaptured.push(error.message);
  context = await createContext({ device });
  x = context.tensor(numbers);
});
beforeEach(() => {
  counts = countCalls(device);
});
afterEach(async () => {
  await context.finished();
  expect(counts.popErrorScope).toBe(counts.pushErrorScope);
  expect(uncaptured.splice(0)).toEqual([]);
});
afterAll(() => {
  context.dispose();
  device.destroy();
});

const submit = (encoder: GPUCommandEncoder) => device.queue.submit([encoder.finish()]);
const notRun = 'What context.encodeInto recorded had not run when its result was used: submit its encoder first.';
/** Turns of the event loop, in which a recording looks which others have run. */
const turns = () => new Promise((resolve) => setTimeout(resolve, 30));

describe('what is recorded', () => {
  it('is what operations do, and is not submitted', async () => {
    const encoder = device.createCommandEncoder();
    const some = calls.filter(([name]) => ['softmax', 'argmax', 'linear', 'crossEntropy'].includes(name));
    const results = context.encodeInto(encoder, () => some.map(([, call]) => call(x)));
    expect(counts.submit).toBe(0);
    submit(encoder);
    for (const [i, [name, call]] of some.entries()) {
      expect(await results[i].data(), name).toEqual(await call(x).data());
    }
  });

  it('is in the order of the calls, with what the caller records before and after', async () => {
    const logits = device.createBuffer({ size: 256, usage: usage.all });
    const source = context.tensor([3, 1, 2, 5]);
    await source.data();
    const copied = device.createBuffer({ size: 256, usage: usage.all });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source.buffer!, 0, logits, 0, 16);
    const best = context.encodeInto(encoder, () => {
      const wrapped = context.fromBuffer(logits, [2, 2]);
      softmax(wrapped, { out: wrapped });
      sigmoid(wrapped, { out: wrapped });
      return argmax(wrapped);
    });
    encoder.copyBufferToBuffer(best.buffer!, 0, copied, 0, 8);
    submit(encoder);
    expect(await best.array()).toEqual([0, 1]);
    expect(await context.fromBuffer(copied, [2], { dtype: 'int32' }).array()).toEqual([0, 1]);
    for (const buffer of [logits, copied]) buffer.destroy();
  });

  it('takes arrays as they are at the call, and tensors as they are at the submit', async () => {
    const targets = Int32Array.from([0, 1]);
    const y = context.tensor(numbers);
    const encoder = device.createCommandEncoder();
    const { loss } = context.encodeInto(encoder, () => crossEntropy(y, targets));
    targets.fill(2);
    const later = [
      [9, 0, 0],
      [0, 9, 0],
    ];
    softmax(context.tensor(later), { out: y }); // runs before
    submit(encoder);
    const expected = crossEntropy(y, [0, 1]).loss;
    expect(await loss.data()).toEqual(await expected.data());
  });

  it('goes into a compute pass that the caller has begun', async () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const { loss, gradient } = context.encodeInto(pass, () => crossEntropy(softmax(x), [0, 1], { gradient: true }));
    const again = context.encodeInto(pass, () => argmax(gradient!));
    pass.end();
    expect(((await errorOf(loss.data())) as Error).message).toBe(notRun);
    submit(encoder);
    const expected = crossEntropy(softmax(x), [0, 1], { gradient: true });
    expect(await loss.data()).toEqual(await expected.loss.data());
    expect(await gradient!.data()).toEqual(await expected.gradient!.data());
    expect(await again.data()).toEqual(await argmax(expected.gradient!).data());
    // A result in a buffer that is read too, elsewhere than in place, needs a copy.
    const arena = device.createBuffer({ size: 1024, usage: usage.all });
    const [from, to] = [0, 512].map((byteOffset) => context.fromBuffer(arena, [2, 3], { byteOffset }));
    const other = device.createCommandEncoder();
    const open = other.beginComputePass();
    expect(() => context.encodeInto(open, () => softmax(from, { out: to }))).toThrow(
      /^softmax: a result in a buffer that is read too needs a copy, which a compute pass cannot hold/,
    );
    open.end();
    context.encodeInto(other, () => softmax(from, { out: to }));
    submit(other);
    expect((await to.data())[0]).toBeCloseTo(1 / 3, 6);
    arena.destroy();
  });

  it('trains: a step whose state is made in the encoder, and goes on in the next', async () => {
    const weight = context.tensor([[1, 2, 3]]);
    const twin = context.tensor([[1, 2, 3]]);
    const gradient = context.tensor([[0.5, 0.25, 1]]);
    const [recorded, plain] = [0, 1].map(() => sgd({ learningRate: 0.5, momentum: 0.9 }));
    for (let i = 0; i < 20; i++) {
      const encoder = device.createCommandEncoder();
      context.encodeInto(encoder, () => recorded.step([weight], [gradient]));
      submit(encoder);
      plain.step([twin], [gradient]);
      if (i % 6 === 5) await turns();
    }
    expect(await weight.data()).toEqual(await twin.data());
    for (const optimizer of [recorded, plain]) optimizer.dispose();
  });

  it('frees what operations make on their way only when it has run', async () => {
    const run = () => [infoNCE(x, x).loss, topK(softmax(x), 2).values];
    const encoder = device.createCommandEncoder();
    const recorded = context.encodeInto(encoder, run);
    // What took its buffers from the pool would run first, and be overwritten; or overwrite.
    const meanwhile = Array.from({ length: 30 }, (_, i) => sigmoid(context.tensor([[i, i, i]])));
    submit(encoder);
    const expected = run();
    for (const [i, result] of recorded.entries()) expect(await result.data()).toEqual(await expected[i].data());
    for (const [i, result] of meanwhile.entries()) {
      expect((await result.data())[0]).toBeCloseTo(1 / (1 + Math.exp(-i)), 6);
    }
  });
});

describe('before the encoder is submitted', () => {
  it('nothing is answered: not a result, nor what is made of it, nor its buffer in another shape', async () => {
    const encoder = device.createCommandEncoder();
    const p = context.encodeInto(encoder, () => softmax(x));
    const view = context.fromBuffer(p.buffer!, [6]);
    const early = [
      p.data(),
      argmax(p).array(),
      argmax(view, { axis: 0 }).data(),
      view.data(),
      crossEntropy(p, [0, 1]).loss.data(),
    ];
    for (const error of await Promise.all(early.map(errorOf))) {
      expect(error).toBeInstanceOf(CrossheadError);
      expect((error as Error).message).toBe(notRun);
    }
    const [tooEarly] = [argmax(p), argmax(p)]; // submitted before what they are made from
    submit(encoder);
    expect(((await errorOf(tooEarly.data())) as Error).message).toBe(notRun);
    expect(((await errorOf(context.finished())) as Error).message).toBe(notRun); // of the one that nobody reads
    expect(await argmax(p).array()).toEqual([2, 2]);
    expect(await p.data()).toEqual(await softmax(x).data());
    await context.finished();
  });

  it('nor what an encoder makes of the results of another that never is', async () => {
    const [lost, kept] = [0, 1].map(() => device.createCommandEncoder());
    const p = context.encodeInto(lost, () => softmax(x));
    const best = context.encodeInto(kept, () => argmax(p));
    submit(kept);
    expect(((await errorOf(best.data())) as Error).message).toBe(notRun);
    await context.finished();
    submit(lost);
    expect(await p.data()).toEqual(await softmax(x).data());
  });

  it('other tensors in the same buffer are read', async () => {
    const arena = device.createBuffer({ size: 1024, usage: usage.all });
    const [a, b] = [0, 512].map((byteOffset) => context.fromBuffer(arena, [2, 3], { byteOffset }));
    const encoder = device.createCommandEncoder();
    context.encodeInto(encoder, () => softmax(x, { out: a }));
    expect(await b.data()).toEqual(new Float32Array(6));
    expect(((await errorOf(a.data())) as Error).message).toBe(notRun);
    submit(encoder);
    await context.finished();
    arena.destroy();
  });

  it('tensors that are disposed of keep their memory, which then comes back', async () => {
    using own = await createContext({ device }); // where nothing else is collected meanwhile
    const y = own.tensor(numbers);
    const expected = sigmoid(softmax(y));
    const values = await expected.data();
    await own.finished();
    const encoder = device.createCommandEncoder();
    const p = own.encodeInto(encoder, () => softmax(y));
    const q = own.encodeInto(encoder, () => sigmoid(p));
    p.dispose();
    // All that the pool may give, written over.
    const others = Array.from({ length: 20 }, () => own.tensor(new Float32Array(6).fill(7), [2, 3]));
    expect(own.memory().bytesInUse).toBeGreaterThan(256 * own.memory().tensors);
    submit(encoder);
    expect(await q.data()).toEqual(values);
    for (const tensor of [q, expected, y, ...others]) tensor.dispose();
    await own.finished();
    // Nothing, but for the softmax that was dropped above, where it is not collected yet.
    expect(own.memory().bytesInUse).toBe(256 * own.memory().tensors);
    expect(own.memory().tensors).toBeLessThanOrEqual(1);
  });
});

it('hundreds of recordings need no more memory than a few', async () => {
  const frame = async (i: number) => {
    const encoder = device.createCommandEncoder();
    context.encodeInto(encoder, () => {
      using p = softmax(x);
      using best = argmax(p);
      return best.size;
    });
    submit(encoder);
    if (i % 8 === 0) await context.device!.queue.onSubmittedWorkDone();
    if (i % 8 === 0) await turns();
  };
  for (let i = 0; i < 200; i++) await frame(i);
  // Each needs 5 buffers, and up to some 20 recordings are open before it is seen that they have run.
  expect(counts.createBuffer).toBeLessThan(150);
});

describe('what goes wrong', () => {
  it('is refused where there is no encoder, and on the CPU', async () => {
    for (const encoder of [undefined, null, {}, device, 'encoder']) {
      expect(() => context.encodeInto(encoder as never, () => softmax(x))).toThrow(
        /^context\.encodeInto: "encoder" must be a GPUCommandEncoder or a GPUComputePassEncoder, got /,
      );
    }
    const encoder = device.createCommandEncoder();
    expect(() => context.encodeInto(encoder, softmax(x) as never)).toThrow(
      new TypeError('context.encodeInto: takes a function that makes the calls, got Tensor'),
    );
    using cpu = await createContext({ backend: 'cpu' });
    expect(() => cpu.encodeInto(encoder, () => 0)).toThrow(
      new TypeError('context.encodeInto: this context computes on the CPU and has no use for an encoder'),
    );
    const another = await createContext({ device });
    another.dispose();
    expect(() => another.encodeInto(encoder, () => 0)).toThrow(DisposedError);
  });

  it('calls that throw: what came before stays recorded, what they made is freed, and work is submitted again', async () => {
    const out = context.tensor(new Float32Array(6), [2, 3]);
    await context.finished();
    const before = context.memory().tensors;
    const encoder = device.createCommandEncoder();
    const mine = new Error('mine');
    const calls = () => {
      softmax(x, { out });
      sigmoid(x);
      throw mine;
    };
    expect(() => context.encodeInto(encoder, calls)).toThrow(mine);
    expect(() => context.encodeInto(encoder, () => topK(x, 4))).toThrow(RangeError);
    expect(context.memory().tensors).toBe(before);
    expect(await argmax(x).array()).toEqual([2, 2]); // not recorded
    submit(encoder);
    expect(await out.data()).toEqual(await softmax(x).data());
  });

  it('async calls', async () => {
    const encoder = device.createCommandEncoder();
    const { tensors } = context.memory();
    const calls = async () => (await softmax(x).data())[0];
    expect(() => context.encodeInto(encoder, calls)).toThrow(
      'context.encodeInto: the calls may not be async: what follows an await is too late',
    );
    expect(context.memory().tensors).toBe(tensors);
    submit(encoder);
  });

  it('an encoder that is finished already: the result says so, and no handler hears of it', async () => {
    const encoder = device.createCommandEncoder();
    encoder.finish();
    const p = context.encodeInto(encoder, () => softmax(x));
    const error = (await errorOf(p.data())) as Error;
    expect(error.message === notRun || error.message.startsWith('The device refused the work')).toBe(true);
    await expect(context.finished()).rejects.toThrow('The device refused the work');
  });

  it('a buffer of another device: the caller hears of it at finish, and the result too', async () => {
    const foreign = await requestDevice();
    const theirs = context.fromBuffer(foreign.createBuffer({ size: 256, usage: usage.all }), [1, 3]);
    const encoder = device.createCommandEncoder();
    const p = context.encodeInto(encoder, () => softmax(theirs));
    device.pushErrorScope('validation');
    encoder.finish();
    expect(await device.popErrorScope()).not.toBeNull();
    await expect(p.data()).rejects.toThrow(CrossheadError);
    await expect(context.finished()).rejects.toThrow('The device refused the work');
    foreign.destroy();
  });
});

it('nests, and goes with prepare', async () => {
  const [outer, inner] = [0, 1].map(() => device.createCommandEncoder());
  const results = context.encodeInto(outer, () => {
    const p = softmax(x);
    const s = context.encodeInto(inner, () => sigmoid(x));
    return { p, s, best: argmax(p) };
  });
  submit(inner);
  expect(await results.s.data()).toEqual(await sigmoid(x).data());
  expect(((await errorOf(results.best.data())) as Error).message).toBe(notRun);
  submit(outer);
  expect(await results.best.array()).toEqual([2, 2]);

  const encoder = device.createCommandEncoder();
  await context.prepare(() => context.encodeInto(encoder, () => topK(x, 2)));
  const pipelines = counts.createComputePipeline;
  const { preparing, values } = context.encodeInto(encoder, () => ({
    preparing: context.prepare(() => argmax(x)),
    values: topK(x, 2).values,
  }));
  await preparing;
  expect(counts.createComputePipeline).toBe(pipelines);
  submit(encoder);
  expect(await values.data()).toEqual(await topK(x, 2).values.data());
});
