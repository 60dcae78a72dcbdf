// node predict.mjs [auto | webgpu | cpu]    The best two classes of each row, on WebGPU in Node: npm install crosshead webgpu
import { createContext, softmax, topK } from 'crosshead';
import { create } from 'webgpu';

const context = await createContext({ gpu: create([]), backend: process.argv[2] });
const logits = context.tensor([
  [2, 1, 0.1],
  [0, 3, -1],
]);
const { values, indices } = topK(softmax(logits), 2);
const [scores, classes] = await Promise.all([values.array(), indices.array()]);

console.log(context.reason);
scores.forEach((row, r) => {
  console.log(`row ${r}: ${row.map((score, j) => `class ${classes[r][j]} at ${score.toFixed(4)}`).join(', ')}`);
});
context.dispose();
