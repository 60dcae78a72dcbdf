// A linear head and cross-entropy, composed in float64: what the kernels that never store the logits are held to.
import { crossEntropyOf, type Options } from './cross-entropy-reference.ts';
import { sigmoid, softmax, topK } from './reference.ts';

type Numbers = ArrayLike<number>;

export interface Head {
  readonly depth: number;
  readonly weight: Numbers; // (classes, depth)
  readonly bias: Numbers; // (classes)
}

export function logitsOf(features: Numbers, rows: number, { depth, weight, bias }: Head): Float64Array {
  return Float64Array.from({ length: rows * bias.length }, (_, i) => {
    const [r, c] = [Math.floor(i / bias.length), i % bias.length];
    let product = 0;
    for (let d = 0; d < depth; d++) product += features[r * depth + d] * weight[c * depth + d];
    return (Number.isFinite(product) ? product : Number.NaN) + bias[c]; // a bias alone masks a class
  });
}

/** The loss and its derivatives by features, weight and bias. Rows whose derivatives are all 0 add nothing to any. */
export function linearCrossEntropyOf(features: Numbers, rows: number, head: Head, options: Options) {
  const { depth, weight, bias } = head;
  const classes = bias.length;
  const logits = logitsOf(features, rows, head);
  const { loss, gradient, targetGradient, correct, logSumExp } = crossEntropyOf(logits, [rows, classes], 1, options);
  const byFeatures = new Float64Array(features.length);
  const byWeight = new Float64Array(weight.length);
  const byBias = new Float64Array(classes);
  for (let r = 0; r < rows; r++) {
    const slopes = gradient.subarray(r * classes, (r + 1) * classes);
    if (slopes.every((slope) => slope === 0)) continue;
    for (let c = 0; c < classes; c++) {
      byBias[c] += slopes[c];
      for (let d = 0; d < depth; d++) {
        byFeatures[r * depth + d] += slopes[c] * weight[c * depth + d];
        byWeight[c * depth + d] += slopes[c] * features[r * depth + d];
      }
    }
  }
  return { loss, byFeatures, byWeight, byBias, targetGradient, correct, logSumExp };
}

/** The k best classes of each row by their logits, the first of ties, a NaN above all; and their scores. */
export function linearTopKOf(
  features: Numbers,
  rows: number,
  head: Head,
  k: number,
  activation: 'softmax' | 'sigmoid' | 'none' = 'softmax',
  temperature = 1,
) {
  const classes = head.bias.length;
  const logits = logitsOf(features, rows, head);
  const shape = [rows, classes];
  const best = topK(logits, shape, k);
  if (activation === 'softmax') {
    const p = softmax(logits, shape, { temperature });
    const indices = best.indices.map((c, i) => (Number.isNaN(p[Math.floor(i / k) * classes]) ? i % k : c));
    return { values: Float64Array.from(best.indices, (c, i) => p[Math.floor(i / k) * classes + c]), indices };
  }
  const scaled = best.values.map((v) => v / temperature);
  return { values: activation === 'sigmoid' ? sigmoid(scaled) : scaled, indices: best.indices };
}
