// ONNX Runtime has neither losses nor gradients: the loss is minus LogSoftmax at the target, and the gradient Softmax less the
// one-hot target, subtracted in float32, as a page would do it.
import type { Answers, Run } from './contenders.ts';

type Bytes = number[];

/** A field of a protocol buffer: a number, or anything with a length. */
const field = (number: number, value: number | string | Bytes): Bytes => {
  if (typeof value === 'number') return [number << 3, value];
  const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value;
  if (bytes.length > 0x3fff) throw new RangeError(`${bytes.length} bytes are too many for a length of two`);
  const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return [(number << 3) | 2, ...length, ...bytes];
};

/** A float32 tensor [rows, classes] of a graph, both left open; the numbers are those of onnx.proto. */
function valueInfo(name: string): Bytes {
  const dimension = (label: string) => field(1, field(2, label));
  const shape = field(2, [...dimension('rows'), ...dimension('classes')]);
  return [...field(1, name), ...field(2, field(1, [...field(1, 1), ...shape]))];
}

/** A model of one graph, in which each operator reads `logits`, works on the last axis, and writes an output of its own name. */
export function model(...operators: string[]): Uint8Array {
  const node = (operator: string) => [...field(1, 'logits'), ...field(2, operator), ...field(4, operator)];
  const graph = [
    ...operators.flatMap((operator) => field(1, node(operator))),
    ...field(2, 'graph'),
    ...field(11, valueInfo('logits')),
    ...operators.flatMap((operator) => field(12, valueInfo(operator))),
  ];
  const [irVersion, operatorSet] = [8, 13];
  return Uint8Array.from([...field(1, irVersion), ...field(7, graph), ...field(8, field(2, operatorSet))]);
}

function fromOutputs(p: Float32Array, logP: Float32Array, targets: Int32Array): Answers {
  const classes = p.length / targets.length;
  const gradient = p.slice();
  for (const [row, target] of targets.entries()) gradient[row * classes + target] -= 1;
  return { loss: Float32Array.from(targets, (target, row) => -logP[row * classes + target]), gradient, softmax: p };
}

export async function open(backend: 'webgpu' | 'wasm'): Promise<Run> {
  const ort = await (backend === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'));
  const session = await ort.InferenceSession.create(model('Softmax', 'LogSoftmax'), { executionProviders: [backend] });
  return async (logits, shape, targets) => {
    const outputs = await session.run({ logits: new ort.Tensor('float32', logits, shape) });
    const [p, logP] = [await outputs['Softmax'].getData(), await outputs['LogSoftmax'].getData()];
    return fromOutputs(p, logP, targets);
  };
}
