/**
 * The public names, and nothing else.
 * @module crosshead
 */

export type { DType, LostInfo, MemoryReport, Values } from './backend.js';
export { Context, type ContextOptions, createContext, type TensorOptions, type TuneOptions } from './context.js';
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
export type { Activation } from './head/activation.js';
export type { Calibration } from './head/calibrate.js';
export type { HeadWeights, NewHead, Prediction, PredictOptions } from './head/classification-head.js';
export { ClassificationHead } from './head/classification-head.js';
export type { CalibrationBin, ClassReport, Evaluation } from './head/evaluate.js';
export type { ExampleTargets, Features } from './head/examples.js';
export type { EpochRecord, FitOptions, FitProgress, History } from './head/fit-options.js';
export type { ClassName } from './head/labels.js';
export type { LoadOptions } from './head/load.js';
export type { LossFunction, LossName } from './head/objective.js';
export type { LoadProgress, Source } from './head/read-bytes.js';
export type { Rejection } from './head/rejection.js';
export type { NumberArray } from './numbers.js';
export { type AdamOptions, adam, adamW } from './operations/adam.js';
export { type ArgOptions, argmax, argmin } from './operations/arg-extreme.js';
export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from './operations/binary-cross-entropy.js';
export { type BrierLossOptions, brierLoss } from './operations/brier-loss.js';
export { clipGradients } from './operations/clip-gradients.js';
export { type ContrastiveLossOptions, contrastiveLoss } from './operations/contrastive-loss.js';
export { type CosineEmbeddingLossOptions, cosineEmbeddingLoss } from './operations/cosine-embedding-loss.js';
export {
  type CrossEntropyOptions,
  type CrossEntropyResult,
  crossEntropy,
} from './operations/cross-entropy.js';
export type { CrossEntropyNumbers } from './operations/cross-entropy-settings.js';
export type { ElementLossOptions, ElementTargets } from './operations/element-loss.js';
export type { EmbeddingLossOptions, EmbeddingLossResult } from './operations/embedding-loss.js';
export { type EntropyOptions, entropy, entropyGradient, entropyLoss } from './operations/entropy.js';
export { type FocalLossOptions, focalLoss } from './operations/focal-loss.js';
export { type HingeEmbeddingLossOptions, hingeEmbeddingLoss } from './operations/hinge-embedding-loss.js';
export { type HingeLossOptions, hingeLoss } from './operations/hinge-loss.js';
export { type InfoNCEOptions, infoNCE } from './operations/info-nce.js';
export { type JSDivergenceOptions, type JSDivergenceResult, jsDivergence } from './operations/js-divergence.js';
export { type KLDivLossOptions, klDivLoss } from './operations/kl-div-loss.js';
export { type KLDivergenceOptions, klDivergence } from './operations/kl-divergence.js';
export { type LinearOptions, linear } from './operations/linear.js';
export {
  type LinearCrossEntropyOptions,
  type LinearCrossEntropyResult,
  type LinearGradients,
  type LinearParameter,
  linearCrossEntropy,
} from './operations/linear-cross-entropy.js';
export type { LinearLossOptions } from './operations/linear-loss.js';
export type { LinearHeadOptions, Weight } from './operations/linear-product.js';
export { type LinearTopKOptions, type LinearTopKResult, linearTopK } from './operations/linear-top-k.js';
export { logSoftmaxGradient } from './operations/log-softmax-gradient.js';
export { type LogSumExpOptions, logSumExp } from './operations/log-sum-exp.js';
export { logSumExpGradient } from './operations/log-sum-exp-gradient.js';
export { type MarginRankingLossOptions, marginRankingLoss } from './operations/margin-ranking-loss.js';
export type { MatrixGradientOptions } from './operations/matrix-gradient.js';
export { meanSquaredError } from './operations/mean-squared-error.js';
export { type MultiMarginLossOptions, multiMarginLoss } from './operations/multi-margin-loss.js';
export { type NllLossOptions, nllLoss } from './operations/nll-loss.js';
export type { Optimizer, OptimizerState } from './operations/optimizer.js';
export { quantizeRows } from './operations/quantize-rows.js';
export type { RowGradientOptions } from './operations/row-gradient.js';
export type { LossOptions, LossResult, Reduction, RowLossOptions } from './operations/row-loss.js';
export { type SampleOptions, sample } from './operations/sample.js';
export {
  constantSchedule,
  cosineSchedule,
  oneCycleSchedule,
  type Schedule,
  stepSchedule,
  warmupSchedule,
} from './operations/schedules.js';
export { type SgdOptions, sgd } from './operations/sgd.js';
export { type SigmoidOptions, sigmoid } from './operations/sigmoid.js';
export { type SigmoidFocalLossOptions, sigmoidFocalLoss } from './operations/sigmoid-focal-loss.js';
export type { CheckedTargets } from './operations/signs.js';
export { logSoftmax, type SoftmaxOptions, softmax } from './operations/softmax.js';
export { softmaxGradient } from './operations/softmax-gradient.js';
export type { Targets } from './operations/targets.js';
export { type TopKOptions, type TopKResult, topK } from './operations/top-k.js';
export { type TripletMarginLossOptions, tripletMarginLoss } from './operations/triplet-margin-loss.js';
export { type NestedNumbers, Tensor } from './tensor.js';
export type { Facts, Plan, Planner, PlanRequest } from './webgpu/plan.js';
export type { TunedCase, TuneReport } from './webgpu/tune.js';
