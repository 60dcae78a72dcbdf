// The page's side: a Worker with a context of its own, as a function that answers a promise.

/** @returns {Promise<(examples: object) => Promise<{ loss: number, gradient: Float32Array, milliseconds: number, where: string }>>} */
export async function inWorker(backend) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const waiting = new Map();
  let calls = 0;
  worker.onmessage = ({ data: { id, error, ...answer } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(error));
    else resolve(answer);
  };
  const ask = (message, transfer = []) =>
    new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message ?? 'the Worker could not be loaded'));
      waiting.set(++calls, { resolve, reject });
      worker.postMessage({ id: calls, ...message }, transfer);
    });
  await ask({ start: backend });
  // What is transferred moves to the Worker without a copy, and is empty here from then on.
  return (examples) => ask({ examples }, [examples.features.buffer, examples.weight.buffer, examples.targets.buffer]);
}
