// ONNX Runtime has neither losses nor gradients: the loss is minus LogSoftmax at the target, and the gradient Softmax less the
// one-hot target, subtracted in float32, as a page would do it.
import type { Answers, Run } from './contenders.ts';
import { model } from './onnx-model.ts';

/** Each operator reads `logits`, works on the last axis, and writes an output of its own name. */
const rowModel = (...operators: string[]) =>
  model({
    nodes: operators.map((operator) => ({ operator, inputs: ['logits'], outputs: [operator] })),
    inputs: [{ name: 'logits' }],
    outputs: operators.map((name) => ({ name })),
  });

function fromOutputs(p: Float32Array, logP: Float32Array, targets: Int32Array): Answers {
  const classes = p.length / targets.length;
  const gradient = p.slice();
  for (const [row, target] of targets.entries()) gradient[row * classes + target] -= 1;
  return { loss: Float32Array.from(targets, (target, row) => -logP[row * classes + target]), gradient, softmax: p };
}

export async function open(backend: 'webgpu' | 'wasm'): Promise<Run> {
  const ort = await (backend === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'));
  const session = await ort.InferenceSession.create(rowModel('Softmax', 'LogSoftmax'), {
    executionProviders: [backend],
  });
  return async (logits, shape, targets) => {
    const outputs = await session.run({ logits: new ort.Tensor('float32', logits, shape) });
    const read = async (name: string) => (await outputs[name].getData()) as Float32Array;
    return fromOutputs(await read('Softmax'), await read('LogSoftmax'), targets);
  };
}
