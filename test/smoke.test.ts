import { expect, test } from 'vitest';
import { argmax, createContext, crossEntropy, linear, logSoftmax, logSumExp, sigmoid, softmax, topK } from '../src/index.ts';

for (const backend of ['cpu', 'webgpu'] as const) {
  test(backend, async () => {
    const context = await createContext({ backend });
    console.log(context.reason);
    const x = context.tensor([[2, 1, 0.1], [0, 3, -1], [0, -Infinity, 1], [NaN, 1, 2]]);
    console.log(JSON.stringify(await softmax(x).array()), softmax(x).plan);
    console.log(JSON.stringify(await logSoftmax(x).array()));
    console.log(JSON.stringify(await logSumExp(x).array()));
    console.log(JSON.stringify(await sigmoid(x).array()));
    console.log(JSON.stringify(await argmax(x).array()));
    const t = topK(x, 2);
    console.log(JSON.stringify([await t.values.array(), await t.indices.array()]));
    const c = crossEntropy(x, [0, 1, 1, 0], { gradient: true, reduction: 'none' });
    console.log(JSON.stringify([await c.loss.array(), await c.gradient!.array()]));
    const m = crossEntropy(x, [0, 1, 2, -100], { gradient: true });
    console.log(JSON.stringify([await m.loss.array(), await m.gradient!.array()]));
    const h = context.tensor([[2, 1, 0.1], [0, 3, -1]], undefined, {dtype: 'float16'});
    console.log(JSON.stringify([await softmax(h).array(), await softmax(h, {axis: 0}).array()]));
    console.log(JSON.stringify(await linear(h, x, { bias: [1, 2, 3, 4] }).array()));
    await context.finished();
    console.log(context.memory());
    context.dispose();
    expect(1).toBe(1);
  });
}
