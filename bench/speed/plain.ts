// What a page does without a library: loops over float32 arrays, sums in JavaScript's numbers.
import { k } from './cases.ts';
import { type Prepared, prepare } from './contender.ts';
import type { Inputs, Outputs } from './inputs.ts';
import type { Case, OperationName } from './types.ts';

function maximum(x: Float32Array, from: number, to: number): number {
  let max = x[from];
  for (let i = from + 1; i < to; i++) if (x[i] > max) max = x[i];
  return max;
}

function softmax(x: Float32Array, rows: number, classes: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * classes, (row + 1) * classes];
    const max = maximum(x, from, to);
    let sum = 0;
    for (let i = from; i < to; i++) {
      out[i] = Math.exp(x[i] - max);
      sum += out[i];
    }
    for (let i = from; i < to; i++) out[i] /= sum;
  }
  return out;
}

/** The logarithm of the sum of a row's exponentials. */
function logSum(x: Float32Array, from: number, to: number): number {
  const max = maximum(x, from, to);
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.exp(x[i] - max);
  return max + Math.log(sum);
}

function logSoftmax(x: Float32Array, rows: number, classes: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * classes, (row + 1) * classes];
    const log = logSum(x, from, to);
    for (let i = from; i < to; i++) out[i] = x[i] - log;
  }
  return out;
}

function meanLoss(x: Float32Array, targets: Int32Array, rows: number, classes: number): number {
  let loss = 0;
  for (let row = 0; row < rows; row++)
    loss += logSum(x, row * classes, (row + 1) * classes) - x[row * classes + targets[row]];
  return loss / rows;
}

function lossAndGradient(x: Float32Array, targets: Int32Array, rows: number, classes: number): Outputs {
  const gradient = softmax(x, rows, classes);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const target = row * classes + targets[row];
    loss -= Math.log(gradient[target]);
    gradient[target] -= 1;
    for (let i = row * classes; i < (row + 1) * classes; i++) gradient[i] /= rows;
  }
  return { loss: [loss / rows], gradient };
}

function argmax(x: Float32Array, rows: number, classes: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => {
    let best = row * classes;
    for (let i = best + 1; i < (row + 1) * classes; i++) if (x[i] > x[best]) best = i;
    return best - row * classes;
  });
}

function topK(x: Float32Array, rows: number, classes: number): Outputs {
  const values = new Float32Array(rows * k).fill(Number.NEGATIVE_INFINITY);
  const indices = new Int32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const [first, last] = [row * k, row * k + k - 1];
    for (let c = 0; c < classes; c++) {
      const value = x[row * classes + c];
      if (!(value > values[last])) continue;
      let at = last;
      for (; at > first && value > values[at - 1]; at--) {
        values[at] = values[at - 1];
        indices[at] = indices[at - 1];
      }
      values[at] = value;
      indices[at] = c;
    }
  }
  return { values, indices };
}

function linear({ features: x, weight, bias }: Inputs, rows: number, classes: number, features: number): Float32Array {
  const out = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < classes; c++) {
      let sum = bias[c];
      for (let d = 0; d < features; d++) sum += x[row * features + d] * weight[c * features + d];
      out[row * classes + c] = sum;
    }
  }
  return out;
}

function linearGradients(inputs: Inputs, { rows, classes, features = 0 }: Case): Outputs {
  const { loss, gradient } = lossAndGradient(linear(inputs, rows, classes, features), inputs.targets, rows, classes);
  const [byFeatures, byWeight] = [new Float32Array(rows * features), new Float32Array(classes * features)];
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < classes; c++) {
      const slope = gradient[row * classes + c];
      for (let d = 0; d < features; d++) {
        byFeatures[row * features + d] += slope * inputs.weight[c * features + d];
        byWeight[c * features + d] += slope * inputs.features[row * features + d];
      }
    }
  }
  return { loss, features: byFeatures, weight: byWeight };
}

const operations: Record<OperationName, (inputs: Inputs, one: Case) => Outputs> = {
  softmax: ({ logits }, { rows, classes }) => ({ result: softmax(logits, rows, classes) }),
  logSoftmax: ({ logits }, { rows, classes }) => ({ result: logSoftmax(logits, rows, classes) }),
  crossEntropy: ({ logits, targets }, { rows, classes }) => ({ loss: [meanLoss(logits, targets, rows, classes)] }),
  crossEntropyGradient: ({ logits, targets }, { rows, classes }) => lossAndGradient(logits, targets, rows, classes),
  argmax: ({ logits }, { rows, classes }) => ({ indices: argmax(logits, rows, classes) }),
  topK: ({ logits }, { rows, classes }) => topK(logits, rows, classes),
  predict: (inputs, { rows, classes, features = 0 }) =>
    topK(softmax(linear(inputs, rows, classes, features), rows, classes), rows, classes),
  linearLoss: (inputs, { rows, classes, features = 0 }) => ({
    loss: [meanLoss(linear(inputs, rows, classes, features), inputs.targets, rows, classes)],
  }),
  linearGradients,
};

/** Its arrays are the page's, so both ways are one. */
export const plainCase = (one: Case, inputs: Inputs): Prepared =>
  prepare<Inputs, Outputs>({
    upload: () => inputs,
    call: (given) => operations[one.operation](given, one),
    read: async (outputs) => outputs,
    free: () => {},
    wait: async () => {},
  });
