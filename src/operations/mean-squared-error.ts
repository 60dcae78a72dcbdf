import meanSquaredErrorKernel from '../../shaders/mean_squared_error.wgsl';
import { squaredErrorElement } from '../cpu/mean-squared-error.js';
import type { Tensor } from '../tensor.js';
import { type ElementLossOptions, type ElementTargets, elementLossCall, runElementLoss } from './element-loss.js';
import type { LossResult } from './row-loss.js';

/**
 * The squared error (torch.nn.MSELoss): (x - target)^2, an element at a time, in the squared unit of x.
 *
 * NaN, and infinity less itself, give NaN in their element; other infinities follow the formula.
 * @param x any shape, a scalar too; float32 or float16
 * @param targets in the shape of x; float32 or float16
 * @throws TypeError for an unknown option; ShapeError where shapes do not fit
 */
export function meanSquaredError(x: Tensor, targets: ElementTargets, options: ElementLossOptions = {}): LossResult {
  const call = elementLossCall('meanSquaredError', 'x', x, targets, options);
  return runElementLoss(call, { kernel: meanSquaredErrorKernel, element: squaredErrorElement });
}
