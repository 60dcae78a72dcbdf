// Twin of shaders/sum_weights.wgsl.

import type { Values } from '../backend.js';

export interface RowWeights {
  readonly targets?: Values;
  readonly classWeights?: Values;
  readonly sampleWeights?: Values;
}

/** What the rows that count weigh together: sample weight times the class weight of the target; ignored rows weigh nothing. */
export function sumWeights(
  { targets, classWeights, sampleWeights }: RowWeights,
  rows: number,
  ignoreIndex: number | null,
): number {
  let sum = 0;
  for (let r = 0; r < rows; r++) {
    if (targets && targets[r] === ignoreIndex) continue;
    sum += (sampleWeights?.[r] ?? 1) * ((targets && classWeights?.[targets[r]]) ?? 1);
  }
  return sum;
}
