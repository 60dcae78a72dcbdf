// A browser does not learn at once that a queue is done: it looks now and then, Chromium every 2 ms, Firefox every 100 (its bug 1870699).
// Whatever is submitted makes it look. Measured in Chromium 156, a dispatch of 0.1 ms and its readback: 3.0 ms, nudged 1.8.

/** Milliseconds between two nudges at most. */
const longest = 16;

/** Makes the browser look for the end of what is waited for, by submitting nothing: each millisecond, then ever less often. */
export class Nudges {
  readonly #queue: GPUQueue;
  #waits = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(queue: GPUQueue) {
    this.#queue = queue;
  }

  /** The same promise, nudged until it settles. */
  async until<T>(end: Promise<T>): Promise<T> {
    this.#waits++;
    this.#nudge(0);
    try {
      return await end;
    } finally {
      if (--this.#waits === 0) clearTimeout(this.#timer);
    }
  }

  /** @param before nudges since something was last waited for */
  #nudge(before: number): void {
    clearTimeout(this.#timer);
    const pause = Math.min(longest, (before + 3) >> 2); // 0, then four times 1, four times 2, ...
    this.#timer = setTimeout(() => {
      this.#queue.submit([]);
      this.#nudge(before + 1);
    }, pause);
  }
}
