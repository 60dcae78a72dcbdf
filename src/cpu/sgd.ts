// Twin of shaders/sgd.wgsl.

import type { Values } from '../backend.js';

export interface SgdArrays {
  readonly parameter: Values;
  readonly gradient: Values;
  readonly velocity?: Values; // what momentum is kept in
}

/** The numbers of one step: the fields of the kernel's Params. */
export interface SgdStep {
  readonly first_step: number;
  readonly learning_rate: number;
  readonly momentum: number;
  readonly gradient_share: number;
  readonly weight_decay: number;
}

export function sgdElements({ parameter, gradient, velocity }: SgdArrays, step: SgdStep, nesterov: boolean): void {
  const { learning_rate, momentum, gradient_share, weight_decay } = step;
  for (let i = 0; i < parameter.length; i++) {
    let slope = gradient[i];
    if (weight_decay !== 0) slope += parameter[i] * weight_decay;
    if (velocity) {
      const moved = step.first_step ? slope : velocity[i] * momentum + slope * gradient_share;
      velocity[i] = moved;
      slope = nesterov ? slope + moved * momentum : moved;
    }
    parameter[i] -= slope * learning_rate;
  }
}
