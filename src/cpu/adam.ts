// Twin of shaders/adam.wgsl.

import type { Values } from '../backend.js';

export interface AdamArrays {
  readonly parameter: Values;
  readonly gradient: Values;
  readonly mean: Values; // of gradients, moving
  readonly square: Values; // of gradients' squares, moving
  readonly largest?: Values; // square so far, for amsgrad
}

/** The numbers of one step: the fields of the kernel's Params. */
export interface AdamStep {
  readonly first_step: number;
  readonly step_size: number;
  readonly beta1: number;
  readonly gradient_share: number;
  readonly beta2: number;
  readonly square_share: number;
  readonly root_scale: number;
  readonly eps: number;
  readonly weight_decay: number;
  readonly kept: number;
}

export function adamElements({ parameter, gradient, mean, square, largest }: AdamArrays, step: AdamStep): void {
  // Before the first step they hold what memory was left with, NaN perhaps, which 0 times would stay.
  const past = (moments: Values, i: number) => (step.first_step ? 0 : moments[i]);
  for (let i = 0; i < parameter.length; i++) {
    let slope = gradient[i];
    if (step.weight_decay !== 0) slope += parameter[i] * step.weight_decay;
    const first = past(mean, i) * step.beta1 + slope * step.gradient_share;
    const second = past(square, i) * step.beta2 + slope * slope * step.square_share;
    mean[i] = first;
    square[i] = second;
    let bound = square[i]; // rounded, and infinite where the square has overflowed
    if (largest) {
      bound = Math.max(bound, past(largest, i)); // a NaN of either stays
      largest[i] = bound;
    }
    parameter[i] =
      parameter[i] * step.kept - step.step_size * (first / (Math.sqrt(bound) * step.root_scale + step.eps));
  }
}
