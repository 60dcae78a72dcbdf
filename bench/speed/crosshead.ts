import type { Context, Tensor } from '../../src/index.ts';
import * as crosshead from '../../src/index.ts';
import { k, takesTargets } from './cases.ts';
import { type Kept, type Prepared, prepare } from './contender.ts';
import type { Inputs, Outputs } from './inputs.ts';
import type { Case, OperationName } from './types.ts';

const { argmax, ClassificationHead, crossEntropy, linearCrossEntropy, linearTopK, logSoftmax, softmax, topK } =
  crosshead;
type Tensors = Readonly<Record<string, Tensor>>;

interface Head {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

const calls: Record<OperationName, (x: Tensor, targets: Tensor, head: Head) => Tensors> = {
  softmax: (x) => ({ result: softmax(x) }),
  logSoftmax: (x) => ({ result: logSoftmax(x) }),
  crossEntropy: (x, targets) => ({ loss: crossEntropy(x, targets).loss }),
  crossEntropyGradient: (x, targets) => {
    const { loss, gradient } = crossEntropy(x, targets, { gradient: true });
    return { loss, gradient: gradient! };
  },
  argmax: (x) => ({ indices: argmax(x) }),
  topK: (x) => {
    const { values, indices } = topK(x, k);
    return { values, indices };
  },
  // What `head.predict` queues.
  predict: (x, _, { weight, bias }) => {
    const { values, indices } = linearTopK(x, weight, k, { bias });
    return { values, indices };
  },
  linearLoss: (x, targets, { weight, bias }) => ({ loss: linearCrossEntropy(x, weight, targets, { bias }).loss }),
  linearGradients: (x, targets, { weight, bias }) => {
    const { loss, gradients } = linearCrossEntropy(x, weight, targets, { bias, gradients: true });
    gradients!.bias?.dispose();
    return { loss, features: gradients!.features!, weight: gradients!.weight as Tensor };
  },
};

/** Into the arrays that are kept, as in a page's loop; the first call fills them in. */
async function read(tensors: Tensors, kept: Kept = {}): Promise<Outputs> {
  const all = Object.entries(tensors).map(async ([name, tensor]) => {
    kept[name] = await tensor.data({ into: kept[name] });
  });
  await Promise.all(all);
  return kept;
}

const free = (tensors: Tensors) => {
  for (const tensor of Object.values(tensors)) tensor.dispose();
};

/** Watches what the pool holds around the first call, which finds it empty. */
function memoryOf(context: Context) {
  let [before, workspace, peak]: [ReturnType<Context['memory']> | null, number | undefined, number] = [
    null,
    undefined,
    0,
  ];
  const look = () => {
    const now = context.memory();
    peak = Math.max(peak, now.bytesAllocated);
    return now;
  };
  return {
    call(compute: () => Tensors): Tensors {
      if (workspace !== undefined) return compute();
      before = look();
      const results = compute();
      const now = look();
      workspace = now.bytesAllocated - before.bytesAllocated - (now.bytesInUse - before.bytesInUse);
      return results;
    },
    report() {
      look();
      return context.backend === 'cpu' ? {} : { workspaceBytes: workspace, peakBytes: peak };
    },
  };
}

function headOf(context: Context, { classes, features = 0 }: Case, { weight, bias }: Inputs): Head {
  return { weight: context.tensor(weight, [classes, features]), bias: context.tensor(bias) };
}

/** From features in an array to labels and scores, as a page asks a head. */
function askHead(context: Context, head: Head, { features }: Inputs): () => Promise<Outputs> {
  const asked = ClassificationHead.fromWeights(context, head);
  return async () => {
    const answers = (await asked.predict(features, { topK: k })).flat();
    return { values: answers.map(({ score }) => score), indices: answers.map(({ index }) => index) };
  };
}

/** Takes the context over. */
export function crossheadCase(context: Context, one: Case, inputs: Inputs): Prepared {
  const { operation, rows, classes, features = 0 } = one;
  const head = features ? headOf(context, one, inputs) : null;
  const memory = memoryOf(context);
  let plan = '';
  return prepare<Tensors, Tensors>({
    upload: (): Tensors => {
      const x = head
        ? context.tensor(inputs.features, [rows, features])
        : context.tensor(inputs.logits, [rows, classes]);
      return takesTargets(one) ? { x, targets: context.tensor(inputs.targets) } : { x };
    },
    call: ({ x, targets }) => {
      const results = memory.call(() => calls[operation](x, targets, head!));
      plan = Object.values(results).at(-1)!.plan;
      return results;
    },
    read,
    free,
    wait: () => context.finished(),
    endToEnd: operation === 'predict' ? askHead(context, head!, inputs) : undefined,
    facts: () => ({ plan, ...memory.report() }),
    dispose: () => context.dispose(),
  });
}
