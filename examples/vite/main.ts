import { type ContextOptions, createContext, crossEntropy, softmax } from 'crosshead';

const backend = (new URLSearchParams(location.search).get('backend') ?? 'auto') as ContextOptions['backend'];
const context = await createContext({ backend });
const logits = context.tensor([
  [2, 1, 0.1],
  [0, 3, -1],
]);
const probabilities = softmax(logits);
const { loss, gradient } = crossEntropy(logits, [0, 1], { gradient: true });
const answer = {
  backend: context.backend,
  probabilities: await probabilities.array(),
  loss: await loss.array(),
  gradient: await gradient?.array(),
};
document.querySelector('#answer')!.textContent = JSON.stringify(answer, null, 2);
