// Writes ONNX models of a few operators; the numbers are those of onnx.proto.

type Bytes = Uint8Array;

function join(parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A number in groups of seven bits, the low ones first. */
function varint(value: number): Bytes {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes[bytes.length - 1] &= 127;
  return Uint8Array.from(bytes);
}

/** A field of a protocol buffer: a number, or anything with a length. */
function field(number: number, value: number | string | Bytes): Bytes {
  if (typeof value === 'number') return join([varint(number << 3), varint(value)]);
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return join([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

const fields = (number: number, values: readonly (number | string | Bytes)[]) =>
  join(values.map((value) => field(number, value)));

const types = { float: 1, int32: 6, int64: 7 } as const;
export type ElementType = keyof typeof types;

/** An input or output of so many axes, their lengths left open. */
export interface Value {
  readonly name: string;
  readonly type?: ElementType;
  readonly axes?: number;
}

function valueInfo({ name, type = 'float', axes = 2 }: Value): Bytes {
  const shape = fields(
    1,
    Array.from({ length: axes }, (_, axis) => field(2, `${name} ${axis}`)),
  );
  return join([field(1, name), field(2, field(1, join([field(1, types[type]), field(2, shape)])))]);
}

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers from 0. */
  readonly attributes?: Readonly<Record<string, number>>;
}

const nodeOf = ({ operator, inputs, outputs, attributes = {} }: Node): Bytes => {
  const [integer, integerType] = [3, 2];
  const attribute = ([name, value]: [string, number]) =>
    join([field(1, name), field(integer, value), field(20, integerType)]);
  return join([
    fields(1, inputs),
    fields(2, outputs),
    field(4, operator),
    fields(5, Object.entries(attributes).map(attribute)),
  ]);
};

/** A constant of the model. */
export interface Constant {
  readonly name: string;
  readonly values: Float32Array | BigInt64Array;
  readonly shape: readonly number[];
}

const constantOf = ({ name, values, shape }: Constant): Bytes =>
  join([
    fields(1, shape),
    field(2, values instanceof Float32Array ? types.float : types.int64),
    field(8, name),
    field(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]);

export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly constants?: readonly Constant[];
}

export function model({ nodes, inputs, outputs, constants = [] }: Graph): Uint8Array {
  const graph = join([
    fields(1, nodes.map(nodeOf)),
    field(2, 'graph'),
    fields(5, constants.map(constantOf)),
    fields(11, inputs.map(valueInfo)),
    fields(12, outputs.map(valueInfo)),
  ]);
  const [irVersion, operatorSet] = [8, 13];
  return join([field(1, irVersion), field(7, graph), field(8, field(2, operatorSet))]);
}
