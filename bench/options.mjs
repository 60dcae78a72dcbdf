// `npm run bench:options`: what each option of crossEntropy costs, as a ratio to the call without it, measured side by side. Writes the
// table of docs/measured.md.
import os from 'node:os';
import { writeMeasured } from './measured.mjs';
import { withVulkan } from './vulkan.mjs';

const [rows, classes, rounds] = [1024, 1000, 25];

/** Calls by what is special about them; the first is what the others are compared with. */
function callsOf(context, { crossEntropy }) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  const logits = context.tensor(Float32Array.from({ length: rows * classes }, normal), [rows, classes]);
  const soft = context.tensor(new Float32Array(rows * classes).fill(1 / classes), [rows, classes]);
  const targets = context.tensor(Int32Array.from({ length: rows }, (_, r) => (r * 7) % classes));
  const weights = (length) => context.tensor(new Float32Array(length).fill(0.5));
  const [classWeights, sampleWeights] = [weights(classes), weights(rows)];
  const call =
    (options, of = targets) =>
    () =>
      Object.values(crossEntropy(logits, of, { gradient: true, ...options }));
  const off = { labelSmoothing: 0, zLoss: 0, temperature: 1, metrics: false, targetGradient: false, reduction: 'mean' };
  return {
    'no option': call({}),
    'every option, switched off': call(off),
    temperature: call({ temperature: 2 }),
    'class weights': call({ classWeights }),
    'sample weights': call({ sampleWeights }),
    'z-loss': call({ zLoss: 1e-4 }),
    softcap: call({ softcap: 30 }),
    'label smoothing': call({ labelSmoothing: 0.1 }),
    metrics: call({ metrics: true }),
    'soft labels': call({}, soft),
    'soft labels, with their gradient': call({ targetGradient: true }, soft),
  };
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** The median time of each call in ms; the calls take turns. */
async function measure(context, library) {
  const calls = Object.entries(callsOf(context, library));
  const times = new Map(calls.map(([name]) => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (const [name, call] of calls) {
      const begin = performance.now();
      const results = call();
      await context.finished(); // rejects where the device refused any of it
      if (round >= 0) times.get(name).push(performance.now() - begin);
      for (const tensor of results) tensor.dispose();
    }
  }
  return new Map([...times].map(([name, list]) => [name, median(list)]));
}

withVulkan();
const library = await import('../dist/index.js');
const { create } = await import('webgpu');
const columns = new Map();
for (const [name, options] of [
  ['CPU', { backend: 'cpu' }],
  ['WebGPU', { backend: 'webgpu', gpu: create([]) }],
]) {
  const context = await library.createContext(options);
  columns.set(name, { times: await measure(context, library), reason: context.reason });
  context.dispose();
}
const names = [...columns.get('CPU').times.keys()];
const cell = ({ times }, name) => (times.get(name) / times.get(names[0])).toFixed(2);
const table = names.map(
  (name) => `| ${name} | ${[...columns.values()].map((column) => cell(column, name)).join(' | ')} |`,
);
const base = [...columns].map(([name, { times }]) => `${times.get(names[0]).toFixed(1)} ms on ${name}`).join(', ');
const markdown = [
  `${new Date().toISOString().slice(0, 10)}, \`npm run bench:options\`. ${os.cpus()[0].model.trim()}, ${os.cpus().length} cores; Node ${process.version}. ${columns.get('WebGPU').reason}`,
  `Cross-entropy and its gradient, ${rows} x ${classes}, median of ${rounds}: ${base} without options. As a ratio to that:`,
  ['| | CPU | WebGPU |', '| --- | ---: | ---: |', ...table].join('\n'),
].join('\n\n');
console.log(markdown);
writeMeasured('bench/options.mjs', markdown);
process.exit(0);
