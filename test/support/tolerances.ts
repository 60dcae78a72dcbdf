// What results are allowed to be off.

/** What a tolerance may depend on. */
export interface Place {
  /** The largest finite magnitude of the expected result's row. */
  readonly scale: number;
  readonly classes: number;
  /** 1 on the CPU, 2 on a GPU, whose float32 steps each round. */
  readonly slack: 1 | 2;
}

export type Tolerance = (expected: number, place: Place) => number;

export const unit = 2 ** -23;
/** Results below the least normal float may be flushed to zero. */
export const flushed = 2 ** -126;

export const relative =
  (tolerance: number, absolute = 0): Tolerance =>
  (expected) =>
    tolerance * Math.abs(expected) + absolute;

export const ofRow =
  (tolerance: number): Tolerance =>
  (_, { scale }) =>
    tolerance * scale + flushed;
