// One call of a subject with some of its arguments gone astray, and what came of it.
import { CrossheadError, Tensor } from '../../../src/index.ts';
import type { Guard } from './guard.ts';
import { hook } from './hook.ts';
import type { Junk } from './junk.ts';
import { counted } from './run.ts';
import type { Subject } from './subjects.ts';

export interface Mutation {
  /** Of the arguments, or of the options that the function knows; an argument past the last is one too many. */
  readonly where: 'argument' | 'option' | 'dropped' | 'unknown option';
  readonly at: number;
  readonly junk: number;
}

export interface Outcome {
  readonly fn: string;
  /** Instead of a result. */
  readonly error?: unknown;
  /** Flat, by path. */
  readonly results?: ReadonlyMap<string, unknown>;
  readonly milliseconds: number;
  /** Tensors and bytes that a call that threw left behind. */
  readonly left: number;
}

type Call = (...args: unknown[]) => unknown;

const isOptions = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const known = new Map<string, readonly string[]>();
/** Functions that a subject gives options. */
export const givenOptions = new Set<string>();

/** The options that a function takes, as it says itself when it is given one that it does not know. */
export async function optionsOf(name: string, real: Call, args: readonly unknown[]): Promise<readonly string[]> {
  const found = known.get(name);
  if (found) return found;
  const at = isOptions(args[args.length - 1]) ? args.length - 1 : args.length;
  let names: string[] = [];
  try {
    await real(...args.slice(0, at), { ...(args[at] as object), '?': 1 });
  } catch (error) {
    names = /unknown option "\?"; it takes (.*)$/.exec((error as Error).message)?.[1].split(', ') ?? [];
  }
  known.set(name, names);
  return names;
}

export const takesOptions = (name: string): boolean => (known.get(name)?.length ?? 0) > 0;

function mutated(
  args: readonly unknown[],
  names: readonly string[],
  { where, at }: Mutation,
  make: (given: unknown) => unknown,
) {
  const all = [...args];
  if (where === 'dropped') return all.slice(0, at % Math.max(1, all.length));
  const last = isOptions(all[all.length - 1]) ? all.length - 1 : all.length;
  if (where === 'argument' || (where === 'option' && names.length === 0)) {
    const i = at % (args.length + 1);
    all[i] = make(all[i]);
    return all;
  }
  const name = where === 'option' ? names[at % names.length] : ['?', '__proto__', 'constructor', ''][at % 4];
  const options = { ...(all[last] as object) };
  // Of the same kind as the first operand, where it is a tensor.
  Object.defineProperty(options, name, { value: make(all[0]), enumerable: true, configurable: true, writable: true });
  all[last] = options;
  return all;
}

/** The x of all subjects: a matrix of numbers that are exact in float16 too. */
const matrix = [
  [0.5, -1, 2, 0],
  [1, 1, -0.25, 3],
  [-2, 0, 0.5, 1],
];

const promising = /^(predict|evaluate|calibrate|fit|fitRejection|save|createContext|ClassificationHead\.load)$/;

/** The public calls that a subject makes, in their order; what options each takes is known from then on. */
export async function callsOf(subject: Subject, { context }: Guard): Promise<string[]> {
  const names: string[] = [];
  const learnt: Promise<unknown>[] = [];
  hook.astray = (name, real, args) => {
    names.push(name);
    if (isOptions(args[args.length - 1])) givenOptions.add(name);
    const learning = optionsOf(name, real as Call, args);
    learnt.push(learning);
    // Of what promises, one call at a time.
    return promising.test(name) ? learning.then(() => (real as Call)(...args)) : (real as Call)(...args);
  };
  try {
    await subject.call(context.tensor(matrix));
  } finally {
    hook.astray = null;
  }
  await Promise.all(learnt);
  return names;
}

/** @param nth which of the public calls that the subject makes goes astray */
export async function astray(
  subject: Subject,
  nth: number,
  mutations: readonly Mutation[],
  junk: readonly Junk[],
  guard: Guard,
  other: Guard,
): Promise<Outcome | null> {
  const { context } = guard;
  const x = context.tensor(matrix);
  let calls = 0;
  let outcome: Outcome | null = null;
  const make = (chosen: number) => (given: unknown) => junk[chosen].make(context, other.context, given);
  hook.astray = (name, real, args) => {
    if (calls++ !== nth) return (real as Call)(...args);
    let all = args;
    for (const mutation of mutations) all = mutated(all, known.get(name) ?? [], mutation, make(mutation.junk));
    const before = context.memory();
    const start = performance.now();
    counted.calls++;
    const ended = (rest: object) => {
      const after = context.memory();
      const left = Math.abs(after.tensors - before.tensors) + Math.abs(after.bytesInUse - before.bytesInUse);
      outcome = { fn: name, milliseconds: performance.now() - start, left, ...rest };
    };
    try {
      const result = (real as Call)(...all);
      if (!(result instanceof Promise)) {
        ended({ results: result });
        return result;
      }
      return result.then(
        (value) => {
          ended({ results: value });
          return value;
        },
        (error) => {
          ended({ error });
          throw error;
        },
      );
    } catch (error) {
      ended({ error });
      throw error;
    }
  };
  let whole: unknown;
  try {
    whole = await subject.call(x);
  } catch {
    // Of the call, which is in the outcome already, or of the subject, which did not get what it counts on.
  } finally {
    hook.astray = null;
  }
  if (!outcome || 'error' in (outcome as object)) return outcome;
  const { results, ...rest } = outcome as Outcome & { results: unknown };
  try {
    return { ...rest, results: await flat(whole ?? results) };
  } catch (error) {
    return { ...rest, error };
  }
}

/** Numbers, strings and tensors of a result, by their paths; tensors read. */
export async function flat(
  value: unknown,
  path = '',
  into = new Map<string, unknown>(),
): Promise<Map<string, unknown>> {
  if (value instanceof Tensor) {
    into.set(`${path} shape`, `${value.dtype} [${value.shape}]`);
    into.set(path, await value.data());
  } else if (typeof value === 'function') return into;
  else if (ArrayBuffer.isView(value) || typeof value !== 'object' || value === null) into.set(path, value);
  else for (const [name, inner] of Object.entries(value)) await flat(inner, path ? `${path}.${name}` : name, into);
  return into;
}

const documented = (error: unknown): boolean =>
  error instanceof CrossheadError || error instanceof RangeError || error instanceof TypeError;

/** What is wrong with an error; null for one that is as API.md has it. */
export function faultOf({ fn, error, left }: Outcome): string | null {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  if (!documented(error)) return `threw ${error.name}: ${error.message}`;
  if (error.name !== error.constructor.name) return `threw ${error.constructor.name} with the name ${error.name}`;
  if (!error.message.startsWith(`${fn}: `)) return `says ${error.name}: ${error.message}`;
  return left > 0 ? `left something behind (${left}): ${error.message}` : null;
}
