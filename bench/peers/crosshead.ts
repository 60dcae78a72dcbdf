import { createContext, crossEntropy, softmax, type Tensor } from '../../src/index.ts';
import type { Run } from './contenders.ts';

const floats = async (tensor: Tensor) => (await tensor.data()) as Float32Array;

export async function open(backend: 'cpu' | 'webgpu'): Promise<Run> {
  const context = await createContext({ backend });
  return async (logits, shape, targets) => {
    const x = context.tensor(logits, shape);
    const { loss, gradient } = crossEntropy(x, targets, { reduction: 'none', gradient: true });
    const p = softmax(x);
    const answers = { loss: await floats(loss), gradient: await floats(gradient!), softmax: await floats(p) };
    for (const tensor of [x, loss, gradient!, p]) tensor.dispose();
    return answers;
  };
}
