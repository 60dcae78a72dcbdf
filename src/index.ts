// The public names, and nothing else.

export type { DType, LostInfo, MemoryReport } from './backend.js';
export { Context, type ContextOptions, createContext, type TensorOptions } from './context.js';
export {
  CrossheadError,
  DeviceLostError,
  DisposedError,
  OutOfMemoryError,
  ShaderError,
  ShapeError,
  WebGPUUnavailableError,
  WeightsFormatError,
} from './errors.js';
export type { HeadWeights, LoadOptions, Prediction, PredictOptions } from './head/classification-head.js';
export { ClassificationHead } from './head/classification-head.js';
export type { Activation } from './head/describe-head.js';
export type { ClassName } from './head/labels.js';
export type { LoadProgress, Source } from './head/read-bytes.js';
export { type ArgOptions, argmax, argmin } from './operations/arg-extreme.js';
export {
  type CrossEntropyOptions,
  type CrossEntropyResult,
  crossEntropy,
} from './operations/cross-entropy.js';
export { type LinearOptions, linear } from './operations/linear.js';
export { type LogSumExpOptions, logSumExp } from './operations/log-sum-exp.js';
export type { LossOptions, LossResult, Reduction, RowLossOptions } from './operations/row-loss.js';
export { type SigmoidOptions, sigmoid } from './operations/sigmoid.js';
export { logSoftmax, type SoftmaxOptions, softmax } from './operations/softmax.js';
export type { Targets } from './operations/targets.js';
export { type TopKOptions, type TopKResult, topK } from './operations/top-k.js';
export { type NestedNumbers, Tensor } from './tensor.js';
export type { Facts, Plan, Planner, PlanRequest } from './webgpu/plan.js';
