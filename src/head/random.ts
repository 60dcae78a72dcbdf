// Random numbers of a seed, on the host and so the same on every backend.

/** Uniform in [0, 1), 32 bits (mulberry32, begun at a hash of seed and stream). */
export function generator(seed: number, stream = 0): () => number {
  let state = Math.imul(seed ^ Math.floor(seed / 2 ** 32), 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca77);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 0 to count - 1, each order as likely as any other (Fisher and Yates); in their own order without a generator. */
export function orderOf(count: number, random?: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  if (!random) return order;
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
