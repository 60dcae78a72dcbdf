// The losses with a class axis but crossEntropy, as one list.
import {
  brierLoss,
  entropyLoss,
  focalLoss,
  jsDivergence,
  klDivergence,
  multiMarginLoss,
  nllLoss,
  type Tensor,
} from '../../src/index.ts';

type Loss = (x: Tensor, options?: object) => unknown;
/** Each loss of three classes and two rows, with operands that fit. */
export const losses: Record<string, Loss> = {
  nllLoss: (x, o) => nllLoss(x, [0, 1], o),
  focalLoss: (x, o) => focalLoss(x, [0, 1], o),
  klDivergence: (x, o) => klDivergence(x, new Float32Array(6), o),
  jsDivergence: (x, o) => jsDivergence(x, x, o),
  entropyLoss: (x, o) => entropyLoss(x, o),
  multiMarginLoss: (x, o) => multiMarginLoss(x, [0, 1], o),
  brierLoss: (x, o) => brierLoss(x, [0, 1], o),
};
export const ofIndices = { nllLoss, focalLoss, multiMarginLoss, brierLoss };
