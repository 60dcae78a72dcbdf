// TensorFlow.js takes soft labels where the gradient is wanted, so targets become one-hot rows.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import type { Run } from './contenders.ts';
import { startTfjs } from './start-tfjs.ts';

export async function open(backend: 'webgpu' | 'wasm'): Promise<Run> {
  await startTfjs(backend);
  return async (logits, shape, targets) => {
    const x = tf.tensor2d(logits, shape);
    const labels = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(targets, 'int32'), shape[1]), 'float32'));
    const lossOf = (x: tf.Tensor) => tf.losses.softmaxCrossEntropy(labels, x, undefined, 0, tf.Reduction.NONE);
    const { value, grad } = tf.valueAndGrad(lossOf)(x);
    const p = tf.softmax(x);
    const answers = { loss: await value.data(), gradient: await grad.data(), softmax: await p.data() };
    tf.dispose([x, labels, value, grad, p]);
    return answers;
  };
}
