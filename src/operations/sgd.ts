import sgdKernel from '../../shaders/sgd.wgsl';
import { type SgdArrays, type SgdStep, sgdElements } from '../cpu/sgd.js';
import { flag, fromZero, knownOptions } from '../validate.js';
import { type Optimizer, optimizerOf } from './optimizer.js';

/** The settings of `sgd`. */
export interface SgdOptions {
  /** How far a step goes; may be set later. */
  learningRate: number;
  /** How much of the last step is taken again; 0 by default. */
  momentum?: number;
  /** What momentum leaves out of each gradient but the first; 0 by default. */
  dampening?: number;
  /** Whether to look ahead by one more step of momentum (Nesterov 1983, as Sutskever and others 2013 have it). Needs momentum and no dampening. */
  nesterov?: boolean;
  /** Times the parameter, added to the gradient; 0 by default. */
  weightDecay?: number;
}

/**
 * Stochastic gradient descent (torch.optim.SGD): v = momentum v + (1 - dampening) g, parameter -= learningRate v, v being the gradient
 * itself at the first step.
 * @throws TypeError for an unknown option; RangeError for a number below 0, or nesterov without momentum or with dampening
 */
export function sgd(options: SgdOptions): Optimizer {
  const fn = 'sgd';
  knownOptions(fn, options, ['learningRate', 'momentum', 'dampening', 'nesterov', 'weightDecay']);
  const learningRate = fromZero(fn, 'learningRate', options?.learningRate, null);
  const momentum = fromZero(fn, 'momentum', options.momentum, 0);
  const dampening = fromZero(fn, 'dampening', options.dampening, 0);
  const weightDecay = fromZero(fn, 'weightDecay', options.weightDecay, 0);
  const nesterov = flag(fn, 'nesterov', options.nesterov);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new RangeError(`${fn}: "nesterov" needs a momentum above 0 and a dampening of 0`);
  }
  return optimizerOf(
    {
      name: fn,
      kernel: sgdKernel,
      slots: momentum === 0 ? [] : ['velocity'],
      constants: { NESTEROV: nesterov },
      uniforms: (current) => ({
        learning_rate: current,
        momentum,
        gradient_share: 1 - dampening,
        weight_decay: weightDecay,
      }),
      cpu: (arrays, step) => sgdElements(arrays as unknown as SgdArrays, step as unknown as SgdStep, nesterov),
    },
    learningRate,
  );
}
