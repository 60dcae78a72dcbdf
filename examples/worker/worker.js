// The Worker's side. On the CPU a call has done its work when it returns: here it holds up nothing but the next message.
import { createContext, linearCrossEntropy } from '../../dist/index.js';

let context;

addEventListener('message', async ({ data: { id, start, examples } }) => {
  try {
    if (start) {
      context = await createContext({ backend: start });
      postMessage({ id });
    } else {
      const answer = await lossOf(examples);
      postMessage({ id, ...answer }, [answer.gradient.buffer]);
    }
  } catch (error) {
    postMessage({ id, error: String(error) });
  }
});

async function lossOf({ features, weight, targets, rows, depth, classes }) {
  const begin = performance.now();
  const x = context.tensor(features, [rows, depth]);
  const w = context.tensor(weight, [classes, depth]);
  const { loss, gradients } = linearCrossEntropy(x, w, targets, { gradients: ['features'] });
  const answer = { loss: await loss.array(), gradient: await gradients.features.data(), where: context.reason };
  for (const tensor of [x, w, loss, gradients.features]) tensor.dispose();
  return { ...answer, milliseconds: performance.now() - begin };
}
