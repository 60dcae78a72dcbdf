// node cpu.mjs    The loss of two rows and its gradient, on the CPU: npm install crosshead, and nothing else
import { createContext, crossEntropy } from 'crosshead';

const context = await createContext();
const logits = context.tensor([
  [2, 1, 0.1],
  [0, 3, -1],
]);
const { loss, gradient } = crossEntropy(logits, [0, 1], { gradient: true });

console.log(context.reason);
console.log('loss', await loss.array());
console.log('gradient', await gradient.array());
