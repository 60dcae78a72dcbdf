import type { Times } from './types.ts';

/** The value below which a part of the sorted numbers lies; between two neighbours, on the line that joins them. */
export function quantile(sorted: readonly number[], part: number): number {
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

export function timesOf(samples: readonly number[]): Times | undefined {
  if (samples.length === 0) return undefined;
  const sorted = [...samples].sort((a, b) => a - b);
  const [p10, median, p90] = [0.1, 0.5, 0.9].map((part) => quantile(sorted, part));
  return { median, p10, p90, samples: sorted.length };
}
