// The same through the library.
import { createContext, softmax } from './index.js';

const context = await createContext({ backend: 'webgpu' });
const x = context.tensor(
  new Float32Array(1000).map((_, i) => i / 500),
  [1, 1000],
);
window.answer = [...(await softmax(x).data())];
window.took = performance.now();
