// Twin of shaders/lib/element_loss.wgsl: the frame of every elementwise loss.

import type { Values } from '../backend.js';
import { broadcastIndex } from './broadcast.js';
import { divided } from './reduce-rows.js';
import type { Reducing } from './row-loss.js';

export interface ElementLossArrays {
  readonly input: Values;
  readonly targets: Values; // as the input
  readonly loss: Values; // (1) or as the input
  readonly gradient?: Values; // as the input, which it may overwrite
  readonly weights?: Values; // broadcast to the input
  readonly posWeight?: Values; // the same
  readonly axes?: Values; // of the operands that are broadcast
  readonly upstream?: Values; // (1) or as the input
}

/** A loss of one input x and its target t; p is the weight of the positive, 1 where the call has none. */
export interface ElementLoss {
  loss(x: number, t: number, p: number): number;
  /** By x. */
  derivative(x: number, t: number, p: number): number;
}

export function elementLosses(arrays: ElementLossArrays, { none, divisor }: Reducing, own: ElementLoss): void {
  const { input, targets, loss, gradient, weights, posWeight, axes, upstream } = arrays;
  const second = axes ? 1 + 2 * axes[0] : 0;
  let sum = 0;
  for (let i = 0; i < input.length; i++) {
    const x = input[i];
    const t = targets[i];
    const weight = weights ? weights[broadcastIndex(axes!, 0, i)] : 1;
    const p = posWeight ? posWeight[broadcastIndex(axes!, second, i)] : 1;
    const one = weight === 0 ? 0 : own.loss(x, t, p) * weight;
    if (none) loss[i] = one;
    else sum += one;
    if (!gradient) continue;
    const scale = (weight / divisor) * (upstream ? upstream[none ? i : 0] : 1);
    gradient[i] = weight === 0 ? 0 : own.derivative(x, t, p) * scale;
  }
  if (!none) loss[0] = divided(sum, divisor);
}
