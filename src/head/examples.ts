// Features and targets: checked, brought to the device, and cut into batches there.

import type { HostOperand } from '../backend.js';
import type { Context } from '../context.js';
import { ShapeError } from '../errors.js';
import { isFloatArray, type NumberArray } from '../numbers.js';
import { gatherRows } from '../operations/gather-rows.js';
import { classIndices, isSoft, softLabels, type Targets } from '../operations/targets.js';
import { Tensor } from '../tensor.js';
import { shown } from '../validate.js';
import { featureInput, type Input } from './inputs.js';
import { orderOf } from './random.js';
import { scoped } from './scope.js';

/** Rows of D numbers: [N, D]. */
export type Features = Tensor | NumberArray | readonly number[] | readonly (readonly number[])[];
/** What rows are: class indices [N], labels of the head, or a number a class [N, C]. */
export type ExampleTargets = Targets | readonly string[];

/** What a head says of itself. */
export interface HeadParts {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly labels: readonly string[];
  readonly activation: 'softmax' | 'sigmoid';
  readonly temperature: number;
}

export interface Examples {
  readonly features: Input; // [N, D]
  readonly targets: Input; // int32 [N], or floats [N, C]
  readonly soft: boolean;
  readonly count: number;
}

export interface Batch {
  readonly features: Tensor;
  readonly targets: Tensor;
}

export function rowsOfFeatures(fn: string, head: HeadParts, features: unknown): Input {
  const input = featureInput(fn, head.weight, features);
  if (input.shape.length === 2) return input;
  throw new ShapeError(`${fn}: "features" must have shape [rows, ${head.weight.shape[1]}], got ${shown(input.shape)}`);
}

/** @param ignoreIndex a target that stands for no class */
export function examplesOf(
  fn: string,
  head: HeadParts,
  given: unknown,
  wanted: unknown,
  ignoreIndex: number | null = -100,
): Examples {
  const features = rowsOfFeatures(fn, head, given);
  const { context } = head.weight;
  const count = features.shape[0];
  const classes = head.labels.length;
  const targets = Array.isArray(wanted) && typeof wanted[0] === 'string' ? indicesOfLabels(fn, head, wanted) : wanted;
  // Of no rows, and of floats for one class, the length does not tell; a head of classes on their own has numbers for them.
  const untold = !(targets instanceof Tensor) && (count === 0 || isFloatArray(targets));
  const soft = isSoft(targets, [count, classes], [count]) || (head.activation === 'sigmoid' && untold);
  const input = soft
    ? softLabels(fn, targets, context, [count, classes])
    : classIndices(fn, targets, context, [count], classes, ignoreIndex);
  return { features, targets: input, soft, count };
}

function indicesOfLabels(fn: string, { labels }: HeadParts, targets: readonly unknown[]): Int32Array {
  const indices = new Map(labels.map((label, i) => [label, i]));
  return Int32Array.from(targets, (target, row) => {
    const index = indices.get(target as string);
    if (index !== undefined) return index;
    throw new RangeError(`${fn}: "targets" must be labels of the head, got ${shown(target)} in row ${row}`);
  });
}

const onHost = (input: Input): input is HostOperand => !(input instanceof Tensor);

/** Whether all of them can be brought to another device. */
export const canMove = (...examples: readonly (Examples | null)[]): boolean =>
  examples.every((some) => !some || (onHost(some.features) && onHost(some.targets)));

/** Examples on a device, until they are disposed of; tensors of the caller's stay. */
export class Resident {
  readonly features: Tensor;
  readonly targets: Tensor;
  readonly #own: Tensor[] = [];

  constructor(context: Context, examples: Examples) {
    const place = (input: Input): Tensor => {
      if (!onHost(input)) return input;
      const tensor = context.tensor(input.values, input.shape, { dtype: input.dtype });
      this.#own.push(tensor);
      return tensor;
    };
    this.features = place(examples.features);
    this.targets = place(examples.targets);
  }

  /** New tensors, float32 but for class indices. */
  batch(order: Tensor, start: number, count: number): Batch {
    const features = gatherRows(this.features, order, start, count);
    return { features, targets: gatherRows(this.targets, order, start, count) };
  }

  dispose(): void {
    for (const tensor of this.#own) tensor.dispose();
  }
}

/** Rows that are worked on at once where no gradient is asked for: some milliseconds' work on the CPU, and bounded memory on a GPU. */
export function chunkOf({ weight }: HeadParts): number {
  const [classes, depth] = weight.shape;
  const most = weight.context.backend === 'cpu' ? 4e6 / (classes * depth) : 2 ** 22 / Math.max(classes, depth);
  return Math.max(1, Math.min(4096, Math.floor(most)));
}

/** Calls `work` with all rows in their order, a chunk at a time. */
export async function inChunks(
  head: HeadParts,
  resident: Pick<Resident, 'features'> & Partial<Resident>,
  work: (batch: { features: Tensor; targets: Tensor | null }, first: number) => Promise<void> | void,
  between: () => Promise<void>,
): Promise<void> {
  const count = resident.features.shape[0];
  const chunk = chunkOf(head);
  await scoped(async (keep) => {
    const order = keep(resident.features.context.tensor(orderOf(count)));
    for (let first = 0; first < count; first += chunk) {
      const some = Math.min(chunk, count - first);
      await scoped(async (own) => {
        const features = own(gatherRows(resident.features, order, first, some));
        const targets = resident.targets ? own(gatherRows(resident.targets, order, first, some)) : null;
        await work({ features, targets }, first);
      });
      await between();
    }
  });
}
