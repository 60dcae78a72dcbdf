// The elementwise losses, as one list.
import {
  binaryCrossEntropy,
  hingeEmbeddingLoss,
  hingeLoss,
  klDivLoss,
  meanSquaredError,
  sigmoidFocalLoss,
  type Tensor,
} from '../../src/index.ts';

export type Loss = (x: Tensor, targets: never, options?: never) => { loss: Tensor; gradient?: Tensor };
export const losses: Record<string, Loss> = {
  binaryCrossEntropy,
  sigmoidFocalLoss,
  klDivLoss,
  hingeLoss,
  hingeEmbeddingLoss,
  meanSquaredError,
};
export const ones = (n: number) => new Float32Array(n).fill(1);
