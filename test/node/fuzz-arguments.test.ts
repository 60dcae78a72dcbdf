// Every public function with arguments gone astray: junk for an operand, for an option that it knows, one option too many, an argument
// left out. It must say so in the words of the documentation, leaving nothing behind, or give the same answer on both backends. What is
// called, and with what to begin with, is the table's (test/table.ts) and that of test/support/fuzz/subjects.ts.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createContext } from '../../src/index.ts';
import {
  astray,
  callsOf,
  faultOf,
  givenOptions,
  type Mutation,
  type Outcome,
  takesOptions,
} from '../support/fuzz/astray.ts';
import { Guard } from '../support/fuzz/guard.ts';
import { junk } from '../support/fuzz/junk.ts';
import { counted, holds } from '../support/fuzz/run.ts';
import { type Subject, subjects } from '../support/fuzz/subjects.ts';

vi.mock('../../src/index.ts', async (original) => {
  const { hooked } = await import('../support/fuzz/hook.ts');
  return hooked(await original<object>());
});

interface Case {
  readonly call: number;
  readonly guarded: boolean;
  readonly mutations: Mutation[];
}

const mutation = fc.record({
  where: fc.oneof(
    { weight: 4, arbitrary: fc.constant('argument' as const) },
    { weight: 8, arbitrary: fc.constant('option' as const) },
    { weight: 1, arbitrary: fc.constantFrom('dropped' as const, 'unknown option' as const) },
  ),
  at: fc.nat(31),
  junk: fc.nat(junk.length - 1),
});

/** Every public call of every subject. */
const calls: { subject: Subject; nth: number; fn: string }[] = [];
const guards = {} as Record<'cpu' | 'webgpu' | 'other cpu' | 'other webgpu', Guard>;

beforeAll(async () => {
  for (const backend of ['cpu', 'webgpu'] as const) {
    for (const name of [backend, `other ${backend}`] as const)
      guards[name] = new Guard(await createContext({ backend }));
  }
  for (const subject of subjects) {
    const gpuAlone = subject.name === 'context.fromBuffer';
    const names = await callsOf(subject, guards[gpuAlone ? 'webgpu' : 'cpu']);
    names.forEach((fn, nth) => {
      calls.push({ subject, nth, fn });
    });
  }
  for (const guard of Object.values(guards)) await guard.clear();
});
afterAll(() => {
  for (const guard of Object.values(guards)) guard.dispose();
  console.log(`${counted.calls} calls with arguments gone astray`);
});

const shown = ({ call, mutations }: Case) => {
  const { subject, fn } = calls[call % calls.length];
  const gone = mutations.map(({ where, at, junk: chosen }) => `${where} ${at}: ${junk[chosen].what}`);
  return `${fn} in "${subject.name}", ${gone.join(', ')}`;
};

async function outcomeOn(backend: 'cpu' | 'webgpu', { call, guarded, mutations }: Case): Promise<Outcome | null> {
  const { subject, nth } = calls[call % calls.length];
  const [guard, other] = [guards[backend], guards[`other ${backend}`]];
  guard.around = guarded;
  try {
    const outcome = await astray(subject, nth, mutations, junk, guard, other);
    await guard.check();
    return outcome;
  } finally {
    await guard.clear();
    await other.clear();
  }
}

describe('arguments gone astray', () => {
  it('are known to come to every public function', async () => {
    const index = await vi.importActual<object>('../../src/index.ts');
    const functions = Object.entries(index).filter(
      ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name),
    );
    expect(functions.map(([name]) => name).filter((name) => !calls.some(({ fn }) => fn === name))).toEqual([]);
  });

  it('are known to all functions that take options, by what they refuse', () => {
    expect([...givenOptions].filter((name) => !takesOptions(name))).toEqual([]);
  });

  it('are refused, or answered alike on both backends', async () => {
    const cases = fc.record({
      call: fc.nat(4999),
      guarded: fc.boolean(),
      mutations: fc.array(mutation, { minLength: 1, maxLength: 2 }),
    });
    const property = async (given: Case) => {
      const { fn } = calls[given.call % calls.length];
      const [cpu, gpu] = [await outcomeOn('cpu', given), await outcomeOn('webgpu', given)];
      const extreme = given.mutations.some((one) => junk[one.junk].extreme);
      const fault = faultOfBoth(cpu, gpu, fn, extreme);
      if (fault) throw new Error(`${shown(given)}: ${fault}`);
      const unknown = given.mutations.length === 1 && given.mutations[0].where === 'unknown option';
      if (unknown && takesOptions(fn) && !cpu?.error) throw new Error(`${shown(given)}: an unknown option was taken`);
    };
    await holds('are refused, or answered alike on both backends', cases, property, 160);
  }, 3_600_000);
});

/** Longer than any call of so few numbers takes, even where it waits for others to compile. */
const longest = 20_000;

function faultOfBoth(cpu: Outcome | null, gpu: Outcome | null, fn: string, extreme: boolean): string | null {
  if (!cpu || !gpu) return cpu === gpu || fn === 'context.fromBuffer' ? null : 'was called on one backend alone';
  for (const [name, outcome] of Object.entries({ cpu, gpu })) {
    if (outcome.milliseconds > longest) return `took ${outcome.milliseconds} ms on ${name}`;
    const fault = outcome.error === undefined ? null : faultOf(outcome);
    if (fault) return `${fault} (${name})`;
  }
  if (fn === 'context.fromBuffer') return null;
  if (cpu.error || gpu.error) {
    const [a, b] = [cpu, gpu].map(({ error }) => (error === undefined ? 'an answer' : String(error)));
    return a === b ? null : `gave ${a} on the CPU and ${b} on the GPU`;
  }
  return differenceOf(cpu.results!, gpu.results!, extreme);
}

/** float32 on one side, float64 on the other. */
const tolerance = 2e-4;

function differenceOf(
  a: ReadonlyMap<string, unknown>,
  b: ReadonlyMap<string, unknown>,
  extreme: boolean,
): string | null {
  if (a.size !== b.size) return `gave ${[...a.keys()]} on the CPU and ${[...b.keys()]} on the GPU`;
  for (const [path, one] of a) {
    const two = b.get(path);
    const [x, y] = [one, two].map((v) => (ArrayBuffer.isView(v) ? Array.from(v as Float32Array) : [v]));
    if (x.length !== y.length) return `${path} has ${x.length} numbers on the CPU and ${y.length} on the GPU`;
    if (extreme) continue;
    const scale = x.reduce<number>((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v as number)) : most), 1);
    const bad = x.findIndex((v, i) => !alike(v, y[i], scale));
    if (bad >= 0) return `${path}[${bad}] is ${x[bad]} on the CPU and ${y[bad]} on the GPU`;
  }
  return null;
}

function alike(a: unknown, b: unknown, scale: number): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  if (Object.is(a, b) || a === b) return true;
  // What is beyond float32 is infinite on a GPU.
  const [x, y] = [a, b].map((v) => (Math.abs(v) > 1e37 ? Math.sign(v) * Number.POSITIVE_INFINITY : v));
  return x === y || Math.abs(x - y) <= tolerance * scale;
}
