// TensorFlow.js. Its loss takes one-hot labels: they are made beforehand, as are transposed weights.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { startTfjs } from '../../peers/start-tfjs.ts';
import { k, takesTargets } from '../cases.ts';
import { fence, fenceBuffer, type Opened, prepare } from '../contender.ts';
import type { Inputs, Outputs } from '../inputs.ts';
import type { Case, OperationName } from '../types.ts';

type Tensors = Readonly<Record<string, tf.Tensor>>;

/** What stays from call to call. */
interface Fixed {
  readonly labels?: tf.Tensor;
  readonly weight?: tf.Tensor;
  readonly bias?: tf.Tensor;
}

function fixedOf(one: Case, { targets, weight, bias }: Inputs): Fixed {
  const { classes, features } = one;
  const labels = () => tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(targets, 'int32'), classes), 'float32'));
  const head = () => ({
    weight: tf.tidy(() => tf.transpose(tf.tensor2d(weight, [classes, features!]))),
    bias: tf.tensor1d(bias, 'float32'),
  });
  return { ...(features ? head() : {}), ...(takesTargets(one) ? { labels: labels() } : {}) };
}

const logitsOf = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) => tf.add(tf.matMul(x, weight), bias);
const lossOf = (labels: tf.Tensor, x: tf.Tensor) => tf.losses.softmaxCrossEntropy(labels, x);

const calls: Record<OperationName, (x: tf.Tensor, fixed: Fixed) => Tensors> = {
  softmax: (x) => ({ result: tf.softmax(x) }),
  logSoftmax: (x) => ({ result: tf.logSoftmax(x) }),
  crossEntropy: (x, { labels }) => ({ loss: lossOf(labels!, x) }),
  crossEntropyGradient: (x, { labels }) => {
    const { value, grad } = tf.valueAndGrad((logits) => lossOf(labels!, logits))(x);
    return { loss: value, gradient: grad };
  },
  argmax: (x) => ({ indices: tf.argMax(x, 1) }),
  topK: (x) => ({ ...tf.topk(x, k) }),
  predict: (x, { weight, bias }) => ({ ...tf.topk(tf.softmax(logitsOf(x, weight!, bias!)), k) }),
  linearLoss: (x, { labels, weight, bias }) => ({ loss: lossOf(labels!, logitsOf(x, weight!, bias!)) }),
  linearGradients: (x, { labels, weight, bias }) => {
    const loss = (features: tf.Tensor, own: tf.Tensor) => lossOf(labels!, logitsOf(features, own, bias!));
    const { value, grads } = tf.valueAndGrads(loss)([x, weight!]);
    return { loss: value, features: grads[0], weight: tf.transpose(grads[1]) };
  },
};

async function read(tensors: Tensors): Promise<Outputs> {
  const all = Object.entries(tensors).map(async ([name, tensor]) => [name, await tensor.data()] as const);
  return Object.fromEntries(await Promise.all(all));
}

interface WebGpuBackend {
  device: GPUDevice;
  commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** Submits what the library still holds back, and waits for all of it. */
function waitOn(backend: WebGpuBackend): () => Promise<void> {
  const staging = fenceBuffer(backend.device);
  return async () => {
    if (backend.commandEncoder) {
      backend.endComputePassEncoder();
      backend.submitQueue();
    }
    await fence(backend.device, staging);
  };
}

export async function open(backend: 'webgpu' | 'wasm'): Promise<Opened> {
  await startTfjs(backend);
  const wait = backend === 'webgpu' ? waitOn(tf.backend() as unknown as WebGpuBackend) : async () => {};
  return {
    enter: async () => void (await tf.setBackend(backend)),
    async prepare(one, inputs) {
      const { operation, rows, classes, features = 0 } = one;
      const fixed = fixedOf(one, inputs);
      const dispose = (tensors: object) => tf.dispose(Object.values(tensors));
      return prepare<Tensors, Tensors>({
        upload: () => ({
          x: features ? tf.tensor2d(inputs.features, [rows, features]) : tf.tensor2d(inputs.logits, [rows, classes]),
        }),
        call: ({ x }) => tf.tidy(() => calls[operation](x, fixed)),
        read,
        free: dispose,
        wait,
        dispose: () => dispose(fixed),
      });
    },
  };
}
