// jax-js multiplies; crosshead, on its device, takes the best two of each row; and probabilities go back to jax-js.
import * as jax from '@jax-js/jax';
import { createContext, softmax, topK } from 'crosshead';
import { fromJax, toJax } from 'crosshead/jax';

await jax.init('webgpu');
jax.defaultDevice('webgpu');
const context = await createContext({ device: jax.getWebGPUDevice() });

const { array, matmul, negative } = jax.numpy;
const x = array(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] });
const logits = matmul(x, array(Float32Array.of(1, 0, -1, 0, 1, 1), { shape: [2, 3] }));
const probabilities = softmax(await fromJax(context, logits));
const { values, indices } = topK(probabilities, 2);
logits.dispose();
const answers = { scores: await values.array(), classes: await indices.array() };

const negated = negative(await toJax(jax, probabilities));
const best = await topK(await fromJax(context, negated), 1).values.array();
negated.dispose();

document.querySelector('#answer')!.textContent = JSON.stringify({ backend: context.backend, answers, best }, null, 2);
