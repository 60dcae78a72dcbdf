// A head on one backend. All that the page asks of the library is here.
import { ClassificationHead, createContext } from '../src/index.ts';
import { classes } from './digits.ts';

export type BackendName = 'webgpu' | 'cpu';

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
  const context = await createContext({ backend, label: 'digits' });
  const head = await ClassificationHead.load(context, new URL('./data/digits.safetensors', import.meta.url));
  return {
    backend: context.backend,
    reason: context.reason,
    adapter: describe(context.adapterInfo),
    lost: context.lost,
    scores: (features) => scoresOf(head, features),
  };
}

async function scoresOf(head: ClassificationHead, features: Float32Array): Promise<Float32Array> {
  const predictions = await head.predict(features, { topK: classes });
  const scores = new Float32Array(predictions.length * classes);
  predictions.forEach((answers, row) => {
    for (const { index, score } of answers) scores[row * classes + index] = score;
  });
  return scores;
}

function describe(info: GPUAdapterInfo | null): string {
  if (!info) return '';
  const words = [info.description || info.device, info.vendor, info.architecture].filter(Boolean);
  const known = (word: string, before: string[]) =>
    before.some((other) => other.toLowerCase().includes(word.toLowerCase()));
  return words.filter((word, i) => !known(word, words.slice(0, i))).join(', ');
}
