// Counts buffers: over 10,000 operations of one context, and over 1,000 contexts, each on a device of its own, in Node on Dawn.
//
//   npm run build && node scripts/soak.mjs [operations] [contexts]
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { softwareVulkan } from './browser.mjs';

const [operations, contexts] = [process.argv[2] ?? 10_000, process.argv[3] ?? 1000].map(Number);
const vulkan = softwareVulkan();
if (vulkan && !process.env.VK_ICD_FILENAMES) {
  // Read by the loader when the process starts.
  const { spawnSync } = await import('node:child_process');
  const env = { ...process.env, VK_ICD_FILENAMES: vulkan.driver, LD_LIBRARY_PATH: vulkan.libraries };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' }).status ?? 1);
}
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const { create } = await import('webgpu');
const { argmax, createContext, crossEntropy, softmax, topK } = await import('../dist/index.js');

const counts = { made: 0, destroyed: 0, devices: 0, devicesDestroyed: 0 };
const wrap = (object, method, called) => {
  const real = object[method].bind(object);
  object[method] = (...args) => {
    const result = real(...args);
    called(result);
    return result;
  };
};
const dawn = create([]);
const counting = {
  wgslLanguageFeatures: dawn.wgslLanguageFeatures,
  async requestAdapter(options) {
    const adapter = await dawn.requestAdapter(options);
    const { info, features, limits } = adapter;
    return {
      info,
      features,
      limits,
      async requestDevice(descriptor) {
        const device = await adapter.requestDevice(descriptor);
        counts.devices++;
        wrap(device, 'destroy', () => counts.devicesDestroyed++);
        wrap(device, 'createBuffer', (buffer) => {
          counts.made++;
          wrap(buffer, 'destroy', () => counts.destroyed++);
        });
        return device;
      },
    };
  },
};
const failures = [];
const expectFlat = (what, now, before) => {
  console.log(`${what}: ${now}${before === undefined ? '' : `, ${before} before`}`);
  if (before !== undefined && now > before) failures.push(what);
};
const megabytes = () => {
  gc();
  return Math.round(process.memoryUsage().heapUsed / 1e5) / 10;
};

for (const dispose of [true, false]) {
  const context = await createContext({ backend: 'webgpu', gpu: counting });
  const numbers = [
    [1, 2, 3],
    [0, -1, 4],
  ];
  const call = (i) => {
    const x = context.tensor(numbers);
    const results = [
      () => [softmax(x)],
      () => Object.values(topK(x, 2)),
      () => Object.values(crossEntropy(x, [0, 1], { gradient: true })),
      () => [argmax(x)],
    ][i % 4]();
    if (dispose) for (const tensor of [x, ...results]) tensor.dispose();
    return results[0];
  };
  const some = async (times) => {
    for (let i = 0; i < times; i++) {
      const result = call(i);
      if (i % 100 === 0 && !dispose) await result.data();
      if (i % 100 === 0) await context.finished();
      if (i % 500 === 0) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await some(1000);
  const [made, heap] = [counts.made - counts.destroyed, megabytes()];
  await some(operations);
  const how = dispose ? 'disposed of' : 'dropped';
  expectFlat(
    `${operations} operations, ${how}: buffers alive`,
    counts.made - counts.destroyed,
    dispose ? made : undefined,
  );
  expectFlat(`${operations} operations, ${how}: tensors`, context.memory().tensors, 1);
  console.log(`JavaScript heap: ${megabytes()} MB, ${heap} MB before`);
  context.dispose();
  expectFlat('buffers alive after the context', counts.made - counts.destroyed, 0);
}
const heap = megabytes();
for (let i = 0; i < contexts; i++) {
  const context = await createContext({ backend: 'webgpu', gpu: counting });
  const x = context.tensor([[1, 3]]);
  if (i % 50 === 0) softmax(x); // each context compiles its own
  if (i % 3) await x.data();
  if (i % 3 === 1) x.dispose();
  context.dispose();
}
expectFlat(`${contexts} contexts: buffers made ${counts.made}; alive`, counts.made - counts.destroyed, 0);
expectFlat(`${contexts} contexts: devices alive`, counts.devices - counts.devicesDestroyed, 0);
console.log(`JavaScript heap: ${megabytes()} MB, ${heap} MB before`);
console.log(failures.length ? `not flat: ${failures.join('; ')}` : 'flat');
process.exitCode = Number(failures.length > 0);
