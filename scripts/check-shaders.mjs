// Compiles every variant of every kernel: the calls of the operations' one table (test/table.ts), under every plan that the tests
// force (test/support/contexts.ts), for every dtype, with and without the feature shader-f16. Nothing is computed: Dawn's null
// backend only compiles. A shader file that no variant needed is dead, and fails too.
//
//   node scripts/check-shaders.mjs          the shaders as they are written: a complaint names its file and line
//   node scripts/check-shaders.mjs --dist   the shaders inside dist/index.js, whose text is minified
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { create, globals } from 'webgpu';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = process.argv.includes('--dist');
/** Few classes, about a hundred, and thousands: the default plan has a variant for each. Of products, one for two rows and one for more. */
const shapes = [
  [2, 3],
  [3, 3],
  [3, 100],
  [2, 2000],
];

/** A device that compiles without computing, and keeps what it is given. */
async function nullDevice(gpu, requiredFeatures, seen) {
  const adapter = await gpu.requestAdapter();
  const device = await adapter.requestDevice({ requiredFeatures });
  const codes = new Map();
  const { createShaderModule } = device;
  device.createShaderModule = (descriptor) => {
    const module = createShaderModule.call(device, descriptor);
    codes.set(module, descriptor.code);
    return module;
  };
  for (const name of ['createComputePipeline', 'createComputePipelineAsync']) {
    const original = device[name];
    device[name] = (descriptor) => {
      const { module, constants } = descriptor.compute;
      seen.add(`${codes.get(module)}\n// ${JSON.stringify(constants)}`);
      return original.call(device, descriptor);
    };
  }
  return device;
}

/** The calls of the table that a dtype and a number of classes allow, each as a function of a context. */
function* callsOf(table, isWanted) {
  for (const entry of table) {
    for (const dtype of entry.dtypes.filter(isWanted)) {
      for (const [rows, classes] of shapes) {
        yield (context) => entry.call(context.tensor(new Float32Array(rows * classes), [rows, classes], { dtype }), 1);
      }
    }
  }
}

/** What only a head calls. It reads its answers, so its kernels run; the null backend answers with zeros. */
const predict = (ClassificationHead, context) => {
  const head = ClassificationHead.fromWeights(context, { weight: [[1], [2]] });
  return head.predict([[1]], { topK: 1, deny: [0] });
};

/** What makes a weight smaller, of both dtypes that it may have. */
const quantize = ({ quantizeRows }, context) => {
  for (const dtype of ['float32', 'float16']) quantizeRows(context.tensor([[1], [2]], undefined, { dtype }));
};

/** What only training calls, with every option that has a kernel or a binding of its own. */
async function train({ ClassificationHead, adam, sgd }, context) {
  const features = context.tensor([[1], [2]], undefined, { dtype: 'float16' });
  const fits = [
    ['softmax', [0, 1], { optimizer: adam({ learningRate: 1, amsgrad: true }), clipNorm: 1, warmStart: true }],
    [
      'softmax',
      [0, 1],
      { optimizer: sgd({ learningRate: 1, momentum: 0.5, nesterov: true }), lossOptions: { ignoreIndex: null } },
    ],
    [
      'softmax',
      [
        [1, 0],
        [0, 1],
      ],
      { optimizer: sgd({ learningRate: 1 }), loss: 'distillation' },
    ],
    [
      'sigmoid',
      [
        [1, 0],
        [0, 1],
      ],
      {},
    ],
  ];
  for (const [activation, targets, options] of fits) {
    const head = ClassificationHead.create(context, { features: 1, classes: 2, activation });
    await head.fit(features, targets, { epochs: 1, ...options });
  }
}

async function compileAll({ createContext, ClassificationHead, ...library }, table, plans) {
  const gpu = create(['backend=null']);
  const seen = new Set();
  const errors = new Map(); // a complaint, and the first variant that it is about: most are about many
  const note = ({ message }) => {
    const [variant, ...complaint] = message.split('\n');
    const key = complaint.join('\n') || message;
    if (!errors.has(key)) errors.set(key, variant);
  };
  for (const features of [['subgroups', 'shader-f16'], ['subgroups']]) {
    const device = await nullDevice(gpu, features, seen);
    const f16 = features.includes('shader-f16');
    for (const plan of plans) {
      const context = await createContext({ backend: 'webgpu', gpu, device, plan });
      // Without the feature, float16 alone is compiled otherwise.
      for (const call of callsOf(table, (dtype) => f16 || dtype === 'float16')) {
        await context.prepare(() => call(context)).catch(note);
      }
      await predict(ClassificationHead, context).catch(note);
      await context.prepare(() => quantize(library, context)).catch(note);
      await train({ ClassificationHead, ...library }, context).catch(note);
      context.dispose();
    }
    device.destroy();
  }
  return { seen, errors };
}

Object.assign(globalThis, globals);
const server = await createServer({
  root,
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
  // What the table imports from src is then the built library.
  resolve: { alias: dist ? [{ find: /^.*\/src\/index\.ts$/, replacement: `${root}dist/index.js` }] : [] },
});
try {
  const library = await server.ssrLoadModule(dist ? '/dist/index.js' : '/src/index.ts');
  const { table } = await server.ssrLoadModule('/test/table.ts');
  const { gpuVariants } = await server.ssrLoadModule('/test/support/contexts.ts');
  const none = () => ({ reduce: 'none', lanes: 1, rows: 64 }); // what the default plan is on a software adapter
  // Of minified text it is one of the forced plans but for two numbers.
  const plans = [...(dist ? [] : [none]), ...Object.values(gpuVariants).map(({ plan }) => plan)];
  const { seen, errors } = await compileAll(library, table, plans);

  const files = readdirSync(`${root}shaders`, { recursive: true }).filter((file) => file.endsWith('.wgsl'));
  // Without the bindings: the linker rewrites those that a call leaves out.
  const unbound = (code) => code.replace(/^.*\bvar<(?:storage|private).*$/gm, '');
  const modules = [...new Set([...seen].map(unbound))];
  const used = (file) => modules.some((code) => code.includes(unbound(readFileSync(`${root}shaders/${file}`, 'utf8'))));
  const dead = dist ? [] : files.filter((file) => !used(file));
  for (const [complaint, variant] of errors) console.error(`${variant}\n${complaint}`);
  for (const file of dead) console.error(`shaders/${file}: no variant of any operation in test/table.ts needs it`);
  console.log(
    `${seen.size} variants of ${files.length} shader files: ${errors.size} errors, ${dead.length} dead files`,
  );
  if (errors.size || dead.length) process.exitCode = 1;
} finally {
  await server.close();
}
