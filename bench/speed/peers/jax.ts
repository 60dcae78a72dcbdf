// jax-js, each case one jitted function. An operation uses up the arrays that it is given, unless it is given a `ref`. Nothing runs before
// a result is asked for, and what is dropped before then never does.
import * as jax from '@jax-js/jax';
import { k, takesTargets } from '../cases.ts';
import { fence, fenceBuffer, type Opened, prepare } from '../contender.ts';
import type { Inputs, Outputs } from '../inputs.ts';
import type { Case, OperationName } from '../types.ts';

const { lax, nn, numpy } = jax;
type Arrays = Readonly<Record<string, jax.Array>>;

/** Arguments that change from call to call, and those that stay. */
interface Recipe {
  readonly names: readonly string[];
  compute(...given: jax.Array[]): jax.Array[];
}

/** The targets are compared with the classes: nn.oneHot makes a square matrix of all classes. */
const lossOf =
  ({ rows, classes }: Case) =>
  (x: jax.Array, targets: jax.Array) => {
    const isTarget = numpy.equal(numpy.arange(classes), targets);
    return numpy.where(isTarget, nn.logSoftmax(x), 0).sum().div(-rows);
  };

const linearLossOf = (one: Case) => (x: jax.Array, weight: jax.Array, targets: jax.Array, bias: jax.Array) =>
  lossOf(one)(numpy.matmul(x, weight).add(bias), targets);

const recipes: Record<OperationName, (one: Case) => Recipe> = {
  softmax: () => ({ names: ['result'], compute: (x) => [nn.softmax(x)] }),
  logSoftmax: () => ({ names: ['result'], compute: (x) => [nn.logSoftmax(x)] }),
  crossEntropy: (one) => ({ names: ['loss'], compute: (x, targets) => [lossOf(one)(x, targets)] }),
  crossEntropyGradient: (one) => ({
    names: ['loss', 'gradient'],
    compute: (x, targets) => jax.valueAndGrad(lossOf(one))(x, targets),
  }),
  argmax: () => ({ names: ['indices'], compute: (x) => [numpy.argmax(x, 1)] }),
  topK: () => ({ names: ['values', 'indices'], compute: (x) => lax.topK(x, k) }),
  predict: () => ({
    names: ['values', 'indices'],
    compute: (x, weight, bias) => lax.topK(nn.softmax(numpy.matmul(x, weight).add(bias)), k),
  }),
  linearLoss: (one) => ({
    names: ['loss'],
    compute: (x, targets, weight, bias) => [linearLossOf(one)(x, weight, targets, bias)],
  }),
  linearGradients: (one) => ({
    names: ['loss', 'features', 'weight'],
    compute(x, targets, weight, bias) {
      const [loss, [byFeatures, byWeight]] = jax.valueAndGrad(linearLossOf(one), { argnums: [0, 1] })(
        x,
        weight,
        targets,
        bias,
      );
      return [loss, byFeatures, byWeight.transpose()];
    },
  }),
};

function transposed(weight: Float32Array, classes: number, features: number): Float32Array {
  const out = new Float32Array(weight.length);
  for (let c = 0; c < classes; c++) for (let d = 0; d < features; d++) out[d * classes + c] = weight[c * features + d];
  return out;
}

const array = (values: Float32Array | Int32Array, ...shape: number[]) => numpy.array(values, { shape });

/** What stays from call to call. */
const fixedOf = ({ classes, features = 0 }: Case, { weight, bias }: Inputs): jax.Array[] =>
  features ? [array(transposed(weight, classes, features), features, classes), array(bias, classes)] : [];

function freshOf(one: Case, inputs: Inputs): jax.Array[] {
  const { rows, classes, features } = one;
  const x = features ? array(inputs.features, rows, features) : array(inputs.logits, rows, classes);
  return takesTargets(one) ? [x, array(inputs.targets, rows, 1)] : [x];
}

async function read(arrays: Arrays): Promise<Outputs> {
  const outputs: Record<string, ArrayLike<number>> = {};
  for (const [name, one] of Object.entries(arrays)) outputs[name] = await one.ref.data();
  return outputs;
}

export async function open(backend: 'webgpu' | 'wasm'): Promise<Opened> {
  const available = await jax.init(backend);
  if (!available.includes(backend)) throw new Error(`jax-js cannot start its backend ${backend}`);
  const device = backend === 'webgpu' ? jax.getWebGPUDevice() : null;
  const staging = device && fenceBuffer(device);
  /** Submits the work behind an array, and does not wait for it on a GPU. */
  const submit = (one: jax.Array) => (device ? void one.ref.gpuBufferSync() : one.blockUntilReady());
  return {
    enter: () => void jax.defaultDevice(backend),
    async prepare(one, inputs) {
      const { names, compute } = recipes[one.operation](one);
      const compiled = jax.jit(compute);
      const fixed = fixedOf(one, inputs);
      const free = (arrays: object) => {
        for (const each of Object.values(arrays)) each.dispose();
      };
      return prepare<jax.Array[], Arrays>({
        upload: () => freshOf(one, inputs),
        async call(fresh) {
          const results = compiled(...fresh.map(({ ref }) => ref), ...fixed.map(({ ref }) => ref));
          for (const result of results) await submit(result);
          return Object.fromEntries(names.map((name, i) => [name, results[i]]));
        },
        read,
        free,
        wait: async () => (device ? fence(device, staging!) : undefined),
        dispose: () => free(fixed),
      });
    },
  };
}
