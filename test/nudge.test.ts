// What makes a browser look for the end of work: empty submissions, until what is waited for settles.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createContext, softmax } from '../src/index.ts';
import { Nudges } from '../src/webgpu/nudge.ts';

/** A promise, and what settles it. */
function pending() {
  let settle = () => {};
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

describe('nudges', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function watched() {
    const submitted: number[] = [];
    const begin = performance.now();
    const queue = {
      submit(buffers: readonly unknown[]) {
        expect(buffers).toEqual([]);
        submitted.push(performance.now() - begin);
      },
    };
    return { submitted, nudges: new Nudges(queue as unknown as GPUQueue) };
  }

  it('come at once, then each millisecond, then ever less often, 16 ms apart at most', async () => {
    const { submitted, nudges } = watched();
    const { promise, settle } = pending();
    const end = nudges.until(promise.then(() => 'done'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(submitted.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 6, 8, 10, 12, 15]);
    const pauses = submitted.map((at, i) => at - (submitted[i - 1] ?? 0));
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBe(16);
    settle();
    expect(await end).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('end with the last of several waits, and begin anew with each', async () => {
    const { submitted, nudges } = watched();
    const [first, second] = [pending(), pending()];
    const ends = [nudges.until(first.promise)];
    await vi.advanceTimersByTimeAsync(100);
    const before = submitted.length;
    ends.push(nudges.until(second.promise));
    await vi.advanceTimersByTimeAsync(2);
    expect(submitted.slice(before)).toEqual([100, 101, 102]);
    first.settle();
    await ends[0];
    expect(vi.getTimerCount()).toBe(1);
    second.settle();
    await ends[1];
    expect(vi.getTimerCount()).toBe(0);
  });

  it('end with a wait that fails, which they pass on', async () => {
    const { nudges } = watched();
    const failure = new Error('lost');
    await expect(nudges.until(Promise.reject(failure))).rejects.toBe(failure);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('a read leaves no timer behind, and nothing is submitted after it', async () => {
  using context = await createContext({ backend: 'webgpu' });
  const { queue } = context.device!;
  const submit = vi.spyOn(queue, 'submit');
  const p = softmax(context.tensor([[1, 2]]));
  expect((await p.data())[0]).toBeCloseTo(1 / (1 + Math.E), 6);
  await context.finished();
  const submitted = submit.mock.calls.length;
  expect(submitted).toBeGreaterThanOrEqual(3); // the call, the copy, and that of `finished`
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(submit).toHaveBeenCalledTimes(submitted);
});
