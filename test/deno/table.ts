// The one table on another implementation of WebGPU: Deno's, which is Firefox's too. Built and run by scripts/test-deno.mjs.

import { createContext, type Plan } from '../../src/index.ts';
import { hold } from '../support/hold.ts';
import { normal } from '../support/random.ts';
import { table } from '../table.ts';

declare const Deno: { exit(code: number): never };

/** [shape, axis]: few classes, past a block of the sum, past several, and a middle axis. */
const shapes: [shape: number[], axis: number][] = [
  [[3, 7], 1],
  [[5, 257], 1],
  [[2, 1025], 1],
  [[2, 3, 4], 1],
];

/** Its own plan, which is that of little work on a software adapter; that of much; and lanes that wait for each other. Each has kernels of its own. */
const plans: (Plan | undefined)[] = [
  undefined,
  { reduce: 'none', lanes: 1, rows: 4, pace: 2, keeps: true },
  { reduce: 'none', lanes: 1, rows: 4, pace: 2, keeps: true, strips: 2 },
  { reduce: 'barrier', lanes: 8, rows: 4, strips: 2, held: 1 },
];

let [passed, failed] = [0, 0];
for (const plan of plans) {
  const context = await createContext({ backend: 'webgpu', ...(plan && { plan: () => plan }) });
  console.log(`${context.reason} ${plan ? JSON.stringify(plan) : 'Its own plan.'}`);
  for (const entry of table) {
    for (const dtype of entry.dtypes) {
      for (const [shape, axis] of shapes) {
        const size = shape.reduce((a, b) => a * b, 1);
        const values = normal(size, { sigma: 4, seed: size + axis }).map((v) => (dtype === 'uint32' ? Math.abs(v) : v));
        try {
          await hold(entry, context, values, shape, axis, dtype);
          passed++;
        } catch (error) {
          console.error(`${entry.name}, ${dtype} [${shape}]: ${error}`);
          failed++;
        }
      }
    }
  }
  context.dispose();
}
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed ? 1 : 0);
