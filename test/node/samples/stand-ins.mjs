// What samples take from a page, and Node has not. Each is as small as the samples need, and does what the real thing does there:
// files come from page/data by the names that documents use, and `navigator.gpu` is missing, as in a browser without WebGPU.
import { readFile } from 'node:fs/promises';

const root = new URL('../../../', import.meta.url);
const config = { id2label: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i, `digit ${i}`])) };
const files = {
  'model.safetensors': () => readFile(new URL('examples/predict/head.safetensors', root)),
  'config.json': async () => JSON.stringify(config),
};

export async function standIns() {
  const real = globalThis.fetch;
  globalThis.fetch = async (url, options) => {
    const name = Object.keys(files).find((name) => String(url).endsWith(name));
    return name ? new Response(await files[name]()) : real(url, options);
  };
}
