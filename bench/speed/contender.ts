// What a contender is to the benchmark.
import type { Values } from '../../src/index.ts';
import type { Inputs, Outputs } from './inputs.ts';
import type { Case, Measurement } from './types.ts';

/** A case made ready: what it is computed from lies where the contender wants it. */
export interface Prepared {
  /** Queues one call, and drops what the last one gave. A promise only where the library gives one. */
  run(): void | Promise<void>;
  /** Settles when all that was queued has run. */
  wait(): Promise<void>;
  /** What the last run gave. */
  result(): Promise<Outputs>;
  /** From arrays of the page to arrays of the page. What stays from call to call, such as weights, is there already. */
  endToEnd?(): Promise<Outputs>;
  /** What is known of the last run. */
  facts?(): Pick<Measurement, 'plan' | 'workspaceBytes' | 'peakBytes' | 'onCpu'>;
  dispose(): void;
}

/** A library on one of its backends. */
export interface Opened {
  /** Makes this backend the one that its library computes with; called before anything else of a turn. */
  enter?(): void | Promise<void>;
  /** null where it has no such operation. */
  prepare(one: Case, inputs: Inputs): Promise<Prepared | null>;
  close?(): void;
}

/** By the contender's id. Rejects where the library is not installed or does not start. */
export type Openers = Readonly<Record<string, () => Promise<Opened>>>;

/** Arrays that end-to-end calls read into, the first time empty: for a library that can. */
export type Kept = Record<string, Values>;

/** How a library computes a case, in its own terms. */
export interface Recipe<Input, Result> {
  /** Brings what changes from call to call to the library. */
  upload(): Input;
  /** The same where it is to stay, if that differs. */
  keep?(): Input;
  call(input: Input): Result | Promise<Result>;
  read(result: Result, kept?: Kept): Promise<Outputs>;
  free(of: Input | Result): void;
  wait(): Promise<void>;
  endToEnd?(): Promise<Outputs>;
  facts?: Prepared['facts'];
  dispose?(): void;
}

export function prepare<Input, Result>(recipe: Recipe<Input, Result>): Prepared {
  const input = recipe.keep ? recipe.keep() : recipe.upload();
  const kept: Kept = {};
  let last: Result | undefined;
  const drop = () => {
    if (last !== undefined) recipe.free(last);
    last = undefined;
  };
  const hold = (result: Result) => {
    last = result;
  };
  const endToEnd = async () => {
    const fresh = recipe.upload();
    const result = await recipe.call(fresh);
    const outputs = await recipe.read(result, kept);
    recipe.free(result);
    recipe.free(fresh);
    return outputs;
  };
  return {
    run() {
      drop();
      const result = recipe.call(input);
      return result instanceof Promise ? result.then(hold) : hold(result);
    },
    wait: () => recipe.wait(),
    result: () => recipe.read(last!),
    endToEnd: recipe.endToEnd ?? endToEnd,
    facts: recipe.facts,
    dispose() {
      drop();
      recipe.free(input);
      recipe.dispose?.();
    },
  };
}

/** A mapped read of four bytes: settles when all that was queued before has run, on any library's device. */
export async function fence(device: GPUDevice, staging: GPUBuffer): Promise<void> {
  const encoder = device.createCommandEncoder();
  encoder.clearBuffer(staging);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  staging.unmap();
}

export const fenceBuffer = (device: GPUDevice): GPUBuffer => device.createBuffer({ size: 4, usage: 0x1 | 0x8 });
