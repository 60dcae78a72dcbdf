// Twin of shaders/mean_squared_error.wgsl.

import type { ElementLoss } from './element-loss.js';

export const squaredErrorElement: ElementLoss = {
  loss: (x, t) => (x - t) * (x - t),
  derivative: (x, t) => 2 * (x - t),
};
