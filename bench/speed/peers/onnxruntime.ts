// ONNX Runtime has neither losses nor gradients; they are graphs of what it has. On wasm the target's probability is lowered in place of
// a subtraction of one-hot labels, which would be copied in at each call; on WebGPU the labels lie there already.
import { type Graph, model, type Node, type Value } from '../../peers/onnx-model.ts';
import { k } from '../cases.ts';
import { fence, fenceBuffer, type Opened, prepare } from '../contender.ts';
import type { Inputs, Outputs } from '../inputs.ts';
import type { Case, OperationName } from '../types.ts';

type Backend = 'webgpu' | 'wasm';

const node = (operator: string, inputs: string, outputs: string, attributes = {}): Node => ({
  operator,
  inputs: inputs.split(' '),
  outputs: outputs.split(' '),
  attributes,
});

const logits: Value = { name: 'logits' };
const targets: Value = { name: 'targets', type: 'int32' };
const loss: Value = { name: 'loss', axes: 0 };
const [columns, flat] = [{ axis: 1 }, { keepdims: 0 }];
const best: Pick<Graph, 'outputs' | 'constants'> = {
  outputs: [{ name: 'values' }, { name: 'indices', type: 'int64' }],
  constants: [{ name: 'k', values: BigInt64Array.of(BigInt(k)), shape: [1] }],
};

const rowwise = (operator: string): Graph => ({
  nodes: [node(operator, 'logits', 'result', columns)],
  inputs: [logits],
  outputs: [{ name: 'result' }],
});

/** Minus the mean of `picked`, the targets' log-probabilities. */
const meanLoss: readonly Node[] = [node('ReduceMean', 'picked', 'mean', flat), node('Neg', 'mean', 'loss')];

const crossEntropy: Graph = {
  nodes: [
    node('LogSoftmax', 'logits', 'all', columns),
    node('GatherElements', 'all targets', 'picked', columns),
    ...meanLoss,
  ],
  inputs: [logits, targets],
  outputs: [loss],
};

function crossEntropyGradient({ rows }: Case, backend: Backend): Graph {
  const constants = [
    { name: 'share', values: Float32Array.of(1 / rows), shape: [] },
    { name: 'one', values: Float32Array.of(1), shape: [] },
  ];
  const lowered =
    backend === 'webgpu'
      ? [node('Sub', 'p labels', 'rest')]
      : [node('Sub', 'atTarget one', 'less'), node('ScatterElements', 'p targets less', 'rest', columns)];
  return {
    nodes: [
      node('Softmax', 'logits', 'p', columns),
      node('GatherElements', 'p targets', 'atTarget', columns),
      node('Log', 'atTarget', 'picked'),
      ...meanLoss,
      ...lowered,
      node('Mul', 'rest share', 'gradient'),
    ],
    inputs: [logits, targets, ...(backend === 'webgpu' ? [{ name: 'labels' }] : [])],
    outputs: [loss, { name: 'gradient' }],
    constants,
  };
}

const gemm = node('Gemm', 'features weight bias', 'logits', { transB: 1 });

const headOf = (classes: number, features: number, weight: Float32Array, bias: Float32Array) => [
  { name: 'weight', values: weight, shape: [classes, features] },
  { name: 'bias', values: bias, shape: [classes] },
];

function predict({ classes, features = 0 }: Case, { weight, bias }: Inputs): Graph {
  return {
    nodes: [gemm, node('Softmax', 'logits', 'scores', columns), node('TopK', 'scores k', 'values indices', columns)],
    inputs: [{ name: 'features' }],
    outputs: best.outputs,
    constants: [...best.constants!, ...headOf(classes, features, weight, bias)],
  };
}

const graphs: Partial<Record<OperationName, (one: Case, inputs: Inputs, backend: Backend) => Graph>> = {
  softmax: () => rowwise('Softmax'),
  logSoftmax: () => rowwise('LogSoftmax'),
  crossEntropy: () => crossEntropy,
  crossEntropyGradient: (one, _, backend) => crossEntropyGradient(one, backend),
  argmax: () => ({
    nodes: [node('ArgMax', 'logits', 'indices', { ...columns, ...flat })],
    inputs: [logits],
    outputs: [{ name: 'indices', type: 'int64', axes: 1 }],
  }),
  topK: () => ({ nodes: [node('TopK', 'logits k', 'values indices', columns)], inputs: [logits], ...best }),
  predict,
  linearLoss: ({ classes, features = 0 }, { weight, bias }) => ({
    nodes: [gemm, ...crossEntropy.nodes],
    inputs: [{ name: 'features' }, targets],
    outputs: [loss],
    constants: headOf(classes, features, weight, bias),
  }),
};

type Tensors = Record<string, OnnxTensor>;
interface Feed {
  readonly values: Float32Array | Int32Array;
  readonly shape: readonly [number, number];
}

function feedsOf({ rows, classes, features = 0 }: Case, inputs: Inputs, names: readonly string[]) {
  const labels = () => {
    const oneHot = new Float32Array(rows * classes);
    for (let row = 0; row < rows; row++) oneHot[row * classes + inputs.targets[row]] = 1;
    return oneHot;
  };
  const feeds: Record<string, () => Feed> = {
    logits: () => ({ values: inputs.logits, shape: [rows, classes] }),
    targets: () => ({ values: inputs.targets, shape: [rows, 1] }),
    features: () => ({ values: inputs.features, shape: [rows, features] }),
    labels: () => ({ values: labels(), shape: [rows, classes] }),
  };
  return Object.fromEntries(names.map((name) => [name, feeds[name]()]));
}

async function read(tensors: Tensors): Promise<Outputs> {
  const all = Object.entries(tensors).map(async ([name, tensor]) => {
    const data = await tensor.getData();
    return [name, data instanceof BigInt64Array ? Int32Array.from(data, Number) : data] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}

const dtypeOf = ({ values }: Feed) => (values instanceof Int32Array ? 'int32' : 'float32');

/** A tensor in a buffer of its own; disposing of the tensor leaves the buffer to its maker. */
function onDevice(ort: OnnxRuntime, device: GPUDevice, feed: Feed): { tensor: OnnxTensor; buffer: GPUBuffer } {
  const size = 16 * Math.ceil(feed.values.byteLength / 16);
  const buffer = device.createBuffer({ size, usage: 0x80 | 0x4 | 0x8 });
  device.queue.writeBuffer(buffer, 0, feed.values as Float32Array<ArrayBuffer>);
  return { tensor: ort.Tensor.fromGpuBuffer(buffer, { dataType: dtypeOf(feed), dims: feed.shape }), buffer };
}

/** The device belongs to the library, which has one from its first session on, and destroys it with the last: this one stays. */
async function deviceOf(ort: OnnxRuntime): Promise<GPUDevice> {
  await ort.InferenceSession.create(model(rowwise('Softmax')), { executionProviders: ['webgpu'] });
  return ort.env.webgpu.device;
}

/** A session without the CPU's operators, which otherwise stand in for those that the GPU's provider lacks; null where it lacks some. */
function wholeSession(ort: OnnxRuntime, graph: Graph, options: OnnxSessionOptions): Promise<OnnxSession | null> {
  const strict = { ...options, logSeverityLevel: 4, extra: { session: { disable_cpu_ep_fallback: '1' } } };
  return ort.InferenceSession.create(model(graph), strict).catch(() => null);
}

export async function open(backend: Backend): Promise<Opened> {
  const ort: OnnxRuntime = await (backend === 'webgpu'
    ? import('onnxruntime-web/webgpu')
    : import('onnxruntime-web/wasm'));
  ort.env.wasm.numThreads = 1;
  const device = backend === 'webgpu' ? await deviceOf(ort) : null;
  const staging = device && fenceBuffer(device);
  return {
    async prepare(one, inputs) {
      const graph = graphs[one.operation]?.(one, inputs, backend);
      if (!graph) return null;
      const options: OnnxSessionOptions = {
        executionProviders: [backend],
        ...(device && { preferredOutputLocation: 'gpu-buffer' }),
        logSeverityLevel: 3,
      };
      const whole = device && (await wholeSession(ort, graph, options));
      const session = whole ?? (await ort.InferenceSession.create(model(graph), options));
      const names = graph.inputs.map(({ name }) => name);
      const feeds = Object.entries(feedsOf(one, inputs, names));
      const kept = device ? feeds.map(([name, feed]) => [name, onDevice(ort, device, feed)] as const) : [];
      const keptTensors: Tensors = Object.fromEntries(kept.map(([name, { tensor }]) => [name, tensor]));
      const fresh = (name: string, feed: Feed) =>
        name === 'labels' ? keptTensors[name] : new ort.Tensor(dtypeOf(feed), feed.values, feed.shape);
      const upload = (): Tensors => Object.fromEntries(feeds.map(([name, feed]) => [name, fresh(name, feed)]));
      return prepare<Tensors, Tensors>({
        upload,
        keep: () => (device ? keptTensors : upload()),
        call: (given) => session.run(given),
        read,
        free(tensors) {
          for (const tensor of Object.values(tensors))
            if (!Object.values(keptTensors).includes(tensor)) tensor.dispose();
        },
        wait: async () => (device ? fence(device, staging!) : undefined),
        facts: () => ({ onCpu: device !== null && !whole }),
        dispose() {
          for (const [, { buffer }] of kept) buffer.destroy();
          void session.release();
        },
      });
    },
  };
}
