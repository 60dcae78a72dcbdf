// Twin of shaders/lib/centred.wgsl: a number a class, less its mean under the probabilities of its row.

/** The mean in two parts: the classes with p up to 1/2, and the one above. */
export interface Mean {
  around: number;
  most: number;
}

export function addToMean(mean: Mean, value: number, p: number): void {
  if (p > 0.5) mean.most += p * value;
  else if (p !== 0) mean.around += p * value; // 0 times an infinite logarithm is 0
}

/** @param others 1 - p */
export const centred = (value: number, p: number, others: number, { around, most }: Mean): number =>
  p > 0.5 ? value * others - around : value - around - most;
