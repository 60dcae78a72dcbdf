import type { Tensor } from '../tensor.js';

/** Frees what `keep` was told of once `run` has returned, or, where it promises, once that has settled. */
export function scoped<T>(run: (keep: <K extends Tensor>(tensor: K) => K) => T): T {
  const made: Tensor[] = [];
  const free = () => {
    for (const tensor of made) tensor.dispose();
  };
  let waits = false;
  try {
    const result = run((tensor) => {
      made.push(tensor);
      return tensor;
    });
    if (!(result instanceof Promise)) return result;
    waits = true;
    return result.finally(free) as T;
  } finally {
    if (!waits) free();
  }
}

/** Lets the page do its own work: a task, which is not held back by four milliseconds as a timer is. */
export const pause = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });

/** Pauses when called later than this many milliseconds after the last pause: short of a frame. */
const slice = 12;

/** A function to be called between pieces of work. */
export function slicer(signal?: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > slice) {
      await pause();
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
