// Writes the models that the examples load: an image's features through one layer, and a BertForSequenceClassification of one embedding and
// one layer. Real ONNX files, of a few kilobytes; test/interop holds them to this script.
//
//   node scripts/example-models.mjs [folder]    writes them into examples/, or into another folder
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createServer } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Numbers from -1 to 1, the same on every machine. */
function numbers(count, seed) {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
}

/** Rows of 16 numbers to 8 features: tanh(x w). */
const body = {
  nodes: [
    { operator: 'MatMul', inputs: ['pixels', 'w'], outputs: ['hidden'] },
    { operator: 'Tanh', inputs: ['hidden'], outputs: ['features'] },
  ],
  inputs: [{ name: 'pixels' }],
  outputs: [{ name: 'features' }],
  constants: [{ name: 'w', values: numbers(16 * 8, 1), shape: [16, 8] }],
};

/** What a page computes with probabilities: their negative. */
const negate = {
  nodes: [{ operator: 'Neg', inputs: ['x'], outputs: ['y'] }],
  inputs: [{ name: 'x' }],
  outputs: [{ name: 'y' }],
};

const [words, width, length, classes] = [32, 4, 6, 5];
const bert = {
  nodes: [
    { operator: 'Gather', inputs: ['embeddings', 'input_ids'], outputs: ['embedded'] },
    { operator: 'Flatten', inputs: ['embedded'], outputs: ['flat'], attributes: { axis: 1 } },
    { operator: 'Gemm', inputs: ['flat', 'weight', 'bias'], outputs: ['logits'], attributes: { transB: 1 } },
  ],
  inputs: [{ name: 'input_ids', type: 'int64' }],
  outputs: [{ name: 'logits' }],
  constants: [
    { name: 'embeddings', values: numbers(words * width, 2), shape: [words, width] },
    { name: 'weight', values: numbers(classes * length * width, 3), shape: [classes, length * width] },
    { name: 'bias', values: numbers(classes, 4), shape: [classes] },
  ],
};
const config = {
  architectures: ['BertForSequenceClassification'],
  model_type: 'bert',
  hidden_size: width,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  vocab_size: words,
  max_position_embeddings: length,
  problem_type: 'single_label_classification',
  id2label: Object.fromEntries(['sad', 'cross', 'calm', 'glad', 'merry'].map((label, index) => [index, label])),
};

/** The graphs, by name. */
export const graphs = { body, negate, bert };

/** Writes the files under a folder, and says so. */
export async function writeModels(folder) {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    server: { middlewareMode: true },
    optimizeDeps: { noDiscovery: true },
  });
  const { model } = await server.ssrLoadModule('/bench/peers/onnx-model.ts');
  await server.close();
  const write = (file, bytes) => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return file;
  };
  return [
    write('onnxruntime/public/features.onnx', model(body)),
    write('onnxruntime/public/negate.onnx', model(negate)),
    write('transformers/public/models/tiny-bert/onnx/model.onnx', model(bert)),
    write('transformers/public/models/tiny-bert/config.json', `${JSON.stringify(config, null, 2)}\n`),
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const file of await writeModels(process.argv[2] ?? join(root, 'examples'))) console.log(file);
}
