// The head of the file, on one backend.
import { ClassificationHead } from '../src/index.ts';
import { type BackendName, contextOf, describeAdapter } from './contexts.ts';
import { scoresOf } from './scores.ts';

export interface Reader {
  readonly backend: BackendName;
  readonly reason: string;
  /** The adapter in words; empty on the CPU. */
  readonly adapter: string;
  /** The scores of so many digits, [rows, 10], from their features, [rows, 64]. */
  scores(features: Float32Array): Promise<Float32Array>;
  /** Settles when the device is lost. */
  readonly lost: Promise<{ message: string }>;
}

export async function makeReader(backend: 'auto' | BackendName): Promise<Reader> {
  const context = await contextOf(backend);
  const head = await ClassificationHead.load(context, new URL('./data/digits.safetensors', import.meta.url));
  return {
    backend: context.backend,
    reason: context.reason,
    adapter: describeAdapter(context.adapterInfo),
    lost: context.lost,
    scores: async (features) =>
      scoresOf(await head.predict(features, { topK: head.labels.length }), head.labels.length),
  };
}
