import adamKernel from '../../shaders/adam.wgsl';
import { type AdamArrays, type AdamStep, adamElements } from '../cpu/adam.js';
import { flag, fromZero, knownOptions, number } from '../validate.js';
import { type Optimizer, optimizerOf } from './optimizer.js';

/** The settings of `adam` and `adamW`. */
export interface AdamOptions {
  /** How far a step goes; may be set later. */
  learningRate: number;
  /** How much of the mean of gradients a step keeps; 0.9 by default. */
  beta1?: number;
  /** How much of the mean of their squares; 0.999 by default. */
  beta2?: number;
  /** Added to the root that a step is divided by; 1e-8 by default. */
  eps?: number;
  /** Times the parameter: adam adds it to the gradient (0 by default), adamW takes it off the parameter itself (0.01 by default). */
  weightDecay?: number;
  /** Whether to divide by the largest mean of squares so far (Reddi and others 2018). */
  amsgrad?: boolean;
}

/**
 * Adam (torch.optim.Adam; Kingma and Ba 2015, Adam: A Method for Stochastic Optimization): steps along the mean of the gradients, over the
 * root of the mean of their squares, each corrected for having begun at 0. The corrections are float64.
 * @throws TypeError for an unknown option; RangeError for a number out of range
 */
export const adam = (options: AdamOptions): Optimizer => adamOf('adam', options, 0);

/**
 * AdamW (torch.optim.AdamW; Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization): Adam, whose weight decay shrinks the
 * parameter by learningRate x weightDecay and leaves the gradient alone.
 * @throws TypeError for an unknown option; RangeError for a number out of range
 */
export const adamW = (options: AdamOptions): Optimizer => adamOf('adamW', options, 0.01);

function adamOf(fn: 'adam' | 'adamW', options: AdamOptions, decay: number): Optimizer {
  knownOptions(fn, options, ['learningRate', 'beta1', 'beta2', 'eps', 'weightDecay', 'amsgrad']);
  const learningRate = fromZero(fn, 'learningRate', options?.learningRate, null);
  const share = (name: 'beta1' | 'beta2', fallback: number) =>
    number(fn, name, options[name], fallback, 'a number from 0 to below 1', (v) => v >= 0 && v < 1);
  const [beta1, beta2] = [share('beta1', 0.9), share('beta2', 0.999)];
  const eps = fromZero(fn, 'eps', options.eps, 1e-8);
  const weightDecay = fromZero(fn, 'weightDecay', options.weightDecay, decay);
  const amsgrad = flag(fn, 'amsgrad', options.amsgrad);
  return optimizerOf(
    {
      name: fn,
      kernel: adamKernel,
      slots: ['mean', 'square', ...(amsgrad ? ['largest'] : [])],
      uniforms: (current, step) => ({
        step_size: current / (1 - beta1 ** step),
        beta1,
        gradient_share: 1 - beta1,
        beta2,
        square_share: 1 - beta2,
        root_scale: 1 / Math.sqrt(1 - beta2 ** step),
        eps,
        weight_decay: fn === 'adam' ? weightDecay : 0,
        kept: fn === 'adam' ? 1 : 1 - current * weightDecay,
      }),
      cpu: (arrays, step) => adamElements(arrays as unknown as AdamArrays, step as unknown as AdamStep),
    },
    learningRate,
  );
}
