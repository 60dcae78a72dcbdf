// Numbers from a seed, the same everywhere but for what Math.log and Math.cos may differ by in a last bit.

/** mulberry32: uniform in [0, 1), 32 bits of state. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** n normal numbers, by Box and Muller. */
export function normal(n: number, { mean = 0, sigma = 1, seed = 1 } = {}): Float32Array {
  const next = uniform(seed);
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - next())); // 1 - next() is never 0
    out[i] = mean + sigma * radius * Math.cos(2 * Math.PI * next());
  }
  return out;
}

/** n integers from 0 to below - 1. */
export function integers(n: number, below: number, { seed = 1 } = {}): Int32Array {
  const next = uniform(seed);
  return Int32Array.from({ length: n }, () => Math.floor(next() * below));
}

/** The distributions that the accuracy of every kernel is held to. A peak stands on the row's target. */
export const distributions = {
  'N(0, 1)': {},
  'N(0, 5)': { sigma: 5 },
  'peaked by 15': { peak: 15 },
  'peaked by 30': { peak: 30 },
  'offset by 1e4': { mean: 1e4 },
  constant: { sigma: 0, mean: 0.1 },
  '3e38': { sigma: 0, mean: 3e38 },
} as const satisfies Record<string, { sigma?: number; mean?: number; peak?: number }>;

export type Distribution = keyof typeof distributions;

/** Logits [rows, classes] of a named distribution, and a target for each row. */
export function makeRows(name: Distribution, rows: number, classes: number, seed = 1) {
  const { sigma, mean, peak = 0 }: { sigma?: number; mean?: number; peak?: number } = distributions[name];
  const logits = normal(rows * classes, { mean, sigma, seed });
  const targets = integers(rows, classes, { seed: seed + 1 });
  for (let row = 0; row < rows; row++) logits[row * classes + targets[row]] += peak;
  return { logits, targets };
}

/** [rows, classes] at which accuracy is held: usual heads, vocabularies, and odd sizes that fall between lanes and blocks. */
export const accuracySizes: readonly [rows: number, classes: number][] = [
  [16, 10],
  [8, 1000],
  [2, 50_257],
  [2, 128_256],
  [7, 13],
  [5, 257],
  [3, 1025],
  [129, 65],
];
