// `npm run bench:linear`: the linear head whose logits are never stored beside linear and crossEntropy, which store them: time, and the
// bytes that a call allocates beyond its operands and results. Writes the table of docs/measured.md. The calls take turns.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { softwareVulkan } from '../scripts/browser.mjs';

const markers = ['<!-- Written by bench/linear.mjs. -->', '<!-- End of what bench/linear.mjs wrote. -->'];
/** Rows, features, classes, rounds. */
const sizes = [
  [64, 768, 1000, 9],
  [128, 256, 32_000, 3],
  [64, 64, 200_000, 3],
];

/** Dawn's loader reads these when a process starts. */
function withVulkan() {
  const vulkan = softwareVulkan();
  if (!vulkan || process.env.VK_ICD_FILENAMES) return;
  const env = { ...process.env, VK_ICD_FILENAMES: vulkan.driver, LD_LIBRARY_PATH: vulkan.libraries };
  process.exit(spawnSync(process.execPath, [fileURLToPath(import.meta.url)], { stdio: 'inherit', env }).status ?? 1);
}

const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/** Calls by name; each gives the tensors that it made. */
function callsOf(context, { linear, crossEntropy, linearCrossEntropy, linearTopK, softmax, topK }, [n, d, c]) {
  const of = (length, scale) => Float32Array.from({ length }, () => normal() * scale);
  const x = context.tensor(of(n * d, 1), [n, d]);
  const w = context.tensor(of(c * d, d ** -0.5), [c, d]);
  const targets = context.tensor(Int32Array.from({ length: n }, (_, r) => (r * 7919) % c));
  // The operands of the gradients' products the other way round, made beforehand: `linear` takes no others, and turning them costs nothing here.
  const turned = {
    x: context.tensor(of(d * n, 1), [d, n]),
    w: context.tensor(of(d * c, d ** -0.5), [d, c]),
    gradient: context.tensor(of(c * n, 1), [c, n]),
  };
  return {
    'the product alone (`linear`)': () => [linear(x, w)],
    'loss: `linear`, `crossEntropy`': () => {
      const logits = linear(x, w);
      return [logits, crossEntropy(logits, targets).loss];
    },
    'loss: `linearCrossEntropy`': () => [linearCrossEntropy(x, w, targets).loss],
    'loss and the gradient by logits: `linear`, `crossEntropy`': () => {
      const logits = linear(x, w);
      return [logits, ...Object.values(crossEntropy(logits, targets, { gradientOut: logits })).slice(0, 1)];
    },
    'loss and the gradients by features and weight: `linear`, `crossEntropy`, `linear` twice': () => {
      const logits = linear(x, w);
      const { loss } = crossEntropy(logits, targets, { gradientOut: logits });
      return [logits, loss, linear(logits, turned.w), linear(turned.gradient, turned.x)];
    },
    'loss and the gradients by features and weight: `linearCrossEntropy`': () => {
      const { loss, gradients } = linearCrossEntropy(x, w, targets, { gradients: true });
      return [loss, ...Object.values(gradients)];
    },
    'five best: `linear`, `softmax`, `topK`': () => {
      const logits = linear(x, w);
      const { values, indices } = topK(softmax(logits, { out: logits }), 5);
      return [logits, values, indices];
    },
    'five best: `linearTopK`': () => Object.values(linearTopK(x, w, 5)),
  };
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** The median time of each call in ms, and on the GPU its workspace in MB: what a context of its own allocates for it. */
async function measure(make, library, size) {
  const context = await make();
  const calls = Object.entries(callsOf(context, library, size));
  const times = new Map(calls.map(([name]) => [name, []]));
  for (let round = -1; round < size[3]; round++) {
    for (const [name, call] of calls) {
      const begin = performance.now();
      const results = call();
      await context.finished(); // rejects where the device refused any of it
      if (round >= 0) times.get(name).push(performance.now() - begin);
      for (const tensor of results) tensor.dispose();
    }
  }
  context.dispose();
  const cells = new Map();
  for (const [name] of calls) {
    const own = await make();
    const call = callsOf(own, library, size)[name];
    await own.finished();
    const before = own.memory().bytesAllocated;
    const results = call();
    await own.finished();
    const [n, , c] = size;
    // Of the results, gradients are asked for; logits are only on the way.
    const asked = results.reduce((bytes, { size: length }) => bytes + (length === n * c ? 0 : 4 * length), 0);
    cells.set(name, { ms: median(times.get(name)), bytes: own.memory().bytesAllocated - before - asked });
    own.dispose();
  }
  return cells;
}

function writeReport(markdown) {
  const report = new URL('../docs/measured.md', import.meta.url);
  const text = readFileSync(report, 'utf8');
  const [from, to] = markers.map((marker) => text.indexOf(marker));
  if (from < 0 || to < from) throw new Error(`docs/measured.md: "${markers[0]}" and "${markers[1]}" must stand in it`);
  writeFileSync(report, `${text.slice(0, from + markers[0].length)}\n\n${markdown}\n\n${text.slice(to)}`);
}

withVulkan();
const library = await import('../dist/index.js');
const { create } = await import('webgpu');
const gpu = create([]);
const makers = {
  WebGPU: () => library.createContext({ backend: 'webgpu', gpu }),
  CPU: () => library.createContext({ backend: 'cpu' }),
};
const tables = [];
let reason = '';
for (const size of sizes) {
  const columns = {};
  for (const [name, make] of Object.entries(makers)) columns[name] = await measure(make, library, size);
  const rows = [...columns.WebGPU.keys()].map((name) => {
    const [gpuCell, cpuCell] = [columns.WebGPU.get(name), columns.CPU.get(name)];
    return `| ${name} | ${gpuCell.ms.toFixed(1)} | ${(gpuCell.bytes / 1e6).toFixed(2)} | ${cpuCell.ms.toFixed(1)} |`;
  });
  const [n, d, c] = size;
  const title = `${n} rows of ${d} features, ${c} classes; the logits are ${((4 * n * c) / 1e6).toFixed(1)} MB`;
  tables.push(
    `| ${title} | WebGPU, ms | WebGPU, MB beyond operands and results | CPU, ms |\n| --- | ---: | ---: | ---: |\n${rows.join('\n')}`,
  );
  console.log(tables.at(-1));
}
const context = await makers.WebGPU();
reason = context.reason;
context.dispose();
const machine = `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores; Node ${process.version}`;
writeReport(
  [`${new Date().toISOString().slice(0, 10)}, \`npm run bench:linear\`. ${machine}. ${reason}`, ...tables].join('\n\n'),
);
process.exit(0);
