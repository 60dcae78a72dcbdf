// Plans by measurement: context.tune(). A page that does not call it does not load it, so of what is imported at run time only the file beside
// it is its own; checks of arguments are in every page.

import type { Backend } from '../backend.js';
import type { TuneOptions } from '../context.js';
import { knownOptions, positive, shown } from '../validate.js';
import type { GpuBackend } from './backend.js';
import type { Part } from './link.js';
import type { Facts, Plan, PlanRequest } from './plan.js';
import type { BoundPass, PassPlanner } from './run.js';
import { deviceName, load, save } from './tuned-plans.js';

/** A kernel over rows of one size, and the plan that `context.tune` found for it. */
export interface TunedCase extends PlanRequest {
  /** What runs from now on. */
  readonly plan: Plan;
  /** What would run without tuning. */
  readonly defaultPlan: Plan;
  /** `measured` now; `known` from before, in this context or kept by the browser; `undecided`: the budget did not suffice. */
  readonly outcome: 'measured' | 'known' | 'undecided';
  /** Where it was measured now: of the calls under the plan and under the default, the least of several batches. */
  readonly milliseconds?: { readonly plan: number; readonly defaultPlan: number };
}

/** What `context.tune` did. */
export interface TuneReport {
  /** Largest first. */
  readonly tuned: readonly TunedCase[];
  /** In a sentence: what was done, or why nothing was. */
  readonly reason: string;
}

/** What tuning needs of a context. */
export interface Tuning {
  readonly backend: Backend;
  /** Makes the caller's calls, and frees what they made. */
  readonly calls: () => void;
  readonly budget: number;
  readonly signal?: AbortSignal;
}

/** What is tuned: a kernel with its operands, over rows of one size. */
interface Case {
  readonly key: string;
  /** Of all that the measurement was made of: shader text and candidates. Where it differs, what was kept says nothing. */
  readonly print: string;
  readonly request: PlanRequest;
  /** The default first. */
  readonly candidates: readonly Plan[];
}

type Shape = readonly [reduce: Plan['reduce'], lanes: number, rows: number];

/** A lane that takes more fours than this goes through its row all but alone. */
const mostFours = 64;
/** As in plan.ts. */
const mostHeld = 16;
const mostCandidates = 7;

/**
 * Plans that may be better than `first`, which stays first: other groups of lanes, held or read again, more strips or fewer. Never one whose
 * lanes would mostly idle or have too much to do: a bad enough plan holds a GPU for a minute. A pure function.
 */
export function candidatePlans(first: Plan, request: PlanRequest, facts: Facts): Plan[] {
  if (facts.software) return [first];
  const { strips = 1 } = first;
  const { classes, splits } = request;
  const cuts = splits && classes >= 4096 ? [strips * 2, strips / 2].filter((n) => n >= 1 && classes / n >= 1024) : [];
  const distance = ([, lanes]: Shape) => Math.abs(Math.log2(lanes / first.lanes));
  const shapes = shapesFor(request, strips, facts).sort((a, b) => distance(a) - distance(b));
  const all = [
    first,
    ...(first.held ? [{ ...first, held: 0 }] : []),
    ...cuts.map((n) => planOf([first.reduce, first.lanes, first.rows], n, request)),
    ...shapes.map((shape) => planOf(shape, strips, request)),
  ];
  const names = all.map(nameOf);
  return all.filter((_, i) => names.indexOf(names[i]) === i).slice(0, mostCandidates);
}

/** Groups of lanes that suit rows of this size, and that the device can run. */
function shapesFor({ rows, classes, inner }: PlanRequest, strips: number, facts: Facts): Shape[] {
  const { subgroups, minSubgroup = 1, maxSubgroup = 1, maxInvocations } = facts;
  const shuffles = (lanes: number) => subgroups && lanes <= minSubgroup && 128 % maxSubgroup === 0;
  const groups = [8, 16, 32, 64].map((n): Shape => [shuffles(n) ? 'shuffle' : 'barrier', n, 128 / n]);
  const wholes = [64, 128, 256].map((n): Shape => [subgroups && n >= maxSubgroup ? 'subgroup' : 'barrier', n, 1]);
  const alone = [64, 128].map((n): Shape => ['none', 1, n]);
  const suits = ([reduce, lanes, each]: Shape) =>
    reduce === 'none'
      ? inner >= 8 || classes <= 4 * mostHeld
      : inner < 32 && each <= 2 * rows && 2 * lanes <= classes && classes / strips <= 4 * lanes * mostFours;
  return [...groups, ...wholes, ...alone].filter((shape) => shape[1] * shape[2] <= maxInvocations && suits(shape));
}

function planOf([reduce, lanes, rows]: Shape, strips: number, { classes, inner }: PlanRequest): Plan {
  const held = Math.ceil(classes / strips / (4 * lanes));
  return { reduce, lanes, rows, held: held <= mostHeld && inner < 32 ? held : 0, strips };
}

/** As planName of plan.ts, which this file must not import. */
const nameOf = ({ reduce, lanes, rows, held = 0, strips = 1 }: Plan): string =>
  [reduce, lanes, rows, held, strips].join();

/** Batches of each candidate that stays: an odd number, so that the median is one of them. */
const rounds = 5;
/** Milliseconds that a batch should take beside the wait for it: clocks of browsers tick in tenths. */
const batch = 2;
/** What takes this many times the best is dropped after its probe. */
const hopeless = 4;
/** Candidates that stay after the probes, beside the default, where the budget allows. */
const finalists = 3;
/** A candidate must take less than this part of the default's time, in the least and in the median. */
const better = 0.95;
/** Milliseconds of a call beside which what drivers put off until a pipeline's first use does not count. */
const slow = 5;

/** What `fastest` found: which candidate, and the least milliseconds of a call under each that stayed. */
export interface Fastest {
  readonly index: number;
  readonly least: readonly number[];
}

/**
 * The fastest of several, of which 0 is kept unless another is clearly better; null where the budget ended before that could be told.
 * @param time milliseconds of that many calls under a candidate, and of the wait for them
 * @param budget milliseconds, exceeded by less than one batch
 */
export async function fastest(
  count: number,
  time: (candidate: number, calls: number) => Promise<number>,
  budget: number,
): Promise<Fastest | null> {
  let left = budget;
  const run = async (candidate: number, calls: number): Promise<number> => {
    if (left <= 0) return Number.NaN; // and so is all that is made of it
    const taken = await time(candidate, calls);
    left -= taken;
    return taken;
  };
  const probe = async (candidate: number, calls: number) => {
    const taken = await run(candidate, calls);
    return taken > slow ? taken : Math.min(taken, await run(candidate, calls));
  };
  const wait = await probe(0, 0);
  const probes: number[] = [];
  for (let i = 0; i < count; i++) probes.push(await probe(i, 1));
  const best = Math.min(...probes);
  const call = Math.max(best - wait, best / 16, batch / 100); // the wait varies, and may be most of a probe
  const calls = Math.ceil(batch / call);
  const cost = (i: number) => rounds * (wait + calls * Math.max(call, probes[i] - wait));
  const others = probes.map((_, i) => i).filter((i) => i > 0 && probes[i] <= hopeless * best);
  const stay = [0];
  let rest = left - cost(0);
  for (const i of others.sort((a, b) => probes[a] - probes[b]).slice(0, finalists)) {
    rest -= cost(i);
    if (rest < 0 && stay.length > 1) break;
    stay.push(i);
  }
  const times: number[][] = probes.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const i of stay) times[i].push((await run(i, calls)) / calls); // side by side: clocks of GPUs change
  }
  if (times.flat().some(Number.isNaN)) return null;
  for (const list of times) list.sort((a, b) => a - b);
  const least = times.map(([first]) => first);
  const median = times.map((list) => list[(rounds - 1) / 2]);
  const clear = stay.filter((i) => least[i] < better * least[0] && median[i] < better * median[0]);
  return { index: clear.sort((a, b) => least[a] - least[b])[0] ?? 0, least };
}

/** Kernel, operands and size; rows to a power of two. */
function keyOf(
  { kernel, rows, classes, inner, splits }: PlanRequest,
  { bindings, constants, seams }: BoundPass,
): string {
  const operands = Object.entries(bindings).map(([name, [{ dtype }]]) => `${name}:${dtype}`);
  const inPlace = bindings.input?.[0] === bindings.output?.[0];
  const choices = Object.values(seams ?? {}).map(({ file }) => file);
  const bucket = 2 ** Math.round(Math.log2(Math.max(1, rows)));
  return JSON.stringify([kernel, bucket, classes, inner, !!splits, inPlace, operands, constants, choices]);
}

/** FNV-1a over the texts of shaders and the names of plans. */
function printOf(parts: readonly Part[], needsOf: GpuBackend['needsOf'], plans: readonly Plan[]): string {
  const seen = new Set<Part>();
  const add = (part: Part) => {
    if (seen.has(part)) return;
    seen.add(part);
    needsOf(part).forEach(add);
  };
  parts.forEach(add);
  let hash = 0x811c9dc5;
  for (const text of [...[...seen].map((part) => part.text), ...plans.map(nameOf)]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}

const sizeOf = ({ request: { rows, classes } }: Case): number => rows * classes;
/** A pass with less than this part of the largest one's elements is left as it is. */
const leastShare = 1 / 16;

/** Stands before a backend's planner. Only what runs within one synchronous block is planned otherwise than chosen. */
class Tuner {
  readonly #backend: GpuBackend;
  readonly #chosen = new Map<string, Plan>();
  /** Cases that calls ask for, while they are collected. */
  #asked: Map<string, Case> | null = null;
  #forced: { readonly key: string; readonly plan: Plan } | null = null;
  /** One at a time, or each would measure the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(backend: GpuBackend) {
    this.#backend = backend;
    const base = backend.planner;
    backend.planner = (request, facts, pass) => {
      if (pass.workgroups) return base(request, facts, pass); // its operation lays it out
      const key = keyOf(request, pass);
      if (this.#asked && !this.#asked.has(key)) this.#asked.set(key, this.#caseOf(key, base, request, pass));
      return (this.#forced?.key === key ? this.#forced.plan : this.#chosen.get(key)) ?? base(request, facts, pass);
    };
  }

  tune(tuning: Tuning): Promise<TuneReport> {
    const done = this.#turn.then(() => this.#tune(tuning));
    this.#turn = done.catch(() => null);
    return done;
  }

  #caseOf(key: string, base: PassPlanner, request: PlanRequest, pass: BoundPass): Case {
    const { facts, seams, needsOf } = this.#backend;
    const candidates = candidatePlans(base(request, facts, pass), request, facts);
    const parts = [pass.kernel, ...[seams, { own: pass.seams ?? {} }].flatMap(Object.values).flatMap(Object.values)];
    return { key, request, candidates, print: printOf(parts as Part[], needsOf, candidates) };
  }

  async #tune({ calls, budget, signal }: Tuning): Promise<TuneReport> {
    signal?.throwIfAborted();
    const cases = await this.#collect(calls);
    const known = new Set(cases.filter(({ key }) => this.#chosen.has(key)));
    const device = deviceName(this.#backend.adapterInfo);
    for (const one of await this.#load(device, cases)) known.add(one);
    if (known.size > 0) await this.#backend.prepare(calls);
    const tuned: TunedCase[] = [];
    let left = budget;
    const spend = (milliseconds: number) => {
      left -= milliseconds;
    };
    for (const one of cases) {
      const found = known.has(one) || left <= 0 ? null : await this.#measure(one, calls, left, spend, signal);
      if (found) await this.#keep(one, found.plan, device);
      tuned.push({
        ...one.request,
        plan: this.#chosen.get(one.key) ?? one.candidates[0],
        defaultPlan: one.candidates[0],
        outcome: known.has(one) ? 'known' : found ? 'measured' : 'undecided',
        milliseconds: found?.milliseconds,
      });
    }
    return { tuned, reason: summary(tuned) };
  }

  /** What the calls ask of the planner and there is a choice for, without what is too small to matter; largest first. */
  async #collect(calls: () => void): Promise<Case[]> {
    const asked = new Map<string, Case>();
    this.#asked = asked;
    let compiled: Promise<void>;
    try {
      compiled = this.#backend.prepare(calls);
    } finally {
      this.#asked = null;
    }
    await compiled;
    const open = [...asked.values()].filter(({ candidates }) => candidates.length > 1);
    const largest = Math.max(0, ...open.map(sizeOf));
    return open.filter((one) => sizeOf(one) >= largest * leastShare).sort((a, b) => sizeOf(b) - sizeOf(a));
  }

  /** Takes over what the browser has kept, and gives the cases it was for. */
  async #load(device: string | null, cases: readonly Case[]): Promise<Case[]> {
    const unknown = cases.filter(({ key }) => !this.#chosen.has(key));
    if (!device || unknown.length === 0) return [];
    const kept = await load(unknown.map(({ key, print }) => device + key + print));
    return unknown.filter(({ key, candidates }, i) => {
      const plan = candidates.find((candidate) => nameOf(candidate) === kept[i]);
      if (plan) this.#chosen.set(key, plan);
      return plan;
    });
  }

  async #keep({ key, print }: Case, plan: Plan, device: string | null): Promise<void> {
    this.#chosen.set(key, plan);
    if (device) await save(device + key + print, nameOf(plan));
  }

  async #measure(
    { key, candidates }: Case,
    calls: () => void,
    budget: number,
    spend: (milliseconds: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<(Pick<TunedCase, 'plan'> & Required<Pick<TunedCase, 'milliseconds'>>) | null> {
    const backend = this.#backend;
    const compile = (plan: Plan) => this.#under(key, plan, () => backend.prepare(calls));
    const compiled = await Promise.allSettled(candidates.map(compile));
    const plans = candidates.filter((_, i) => i === 0 || compiled[i].status === 'fulfilled');
    await backend.finished(); // not to measure what was queued before
    const time = async (candidate: number, times: number) => {
      signal?.throwIfAborted();
      const start = performance.now();
      this.#under(key, plans[candidate], () => {
        for (let i = 0; i < times; i++) calls();
      });
      await backend.finished();
      const taken = performance.now() - start;
      spend(taken);
      return taken;
    };
    const found = await fastest(plans.length, time, budget);
    signal?.throwIfAborted();
    if (!found) return null;
    const { index, least } = found;
    return { plan: plans[index], milliseconds: { plan: least[index], defaultPlan: least[0] } };
  }

  /** What a case's plan is, within one synchronous block. */
  #under<T>(key: string, plan: Plan, block: () => T): T {
    this.#forced = { key, plan };
    try {
      return block();
    } finally {
      this.#forced = null;
    }
  }
}

function summary(tuned: readonly TunedCase[]): string {
  if (tuned.length === 0) return 'The calls leave nothing to choose.';
  const having = (outcome: TunedCase['outcome']) => tuned.filter((one) => one.outcome === outcome).length;
  return `${having('measured')} measured, ${having('known')} known, ${having('undecided')} undecided within the budget.`;
}

/** Of backends that were tuned. */
const tuners = new WeakMap<GpuBackend, Tuner>();

const isGpu = (backend: Backend): backend is GpuBackend => backend.name === 'webgpu';

/** See `Context.tune`. @param calls makes the caller's calls, and frees what they made */
export async function tune(fn: string, backend: Backend, calls: () => void, options: TuneOptions): Promise<TuneReport> {
  knownOptions(fn, options, ['budget', 'signal']);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`${fn}: "signal" must be an AbortSignal, got ${shown(signal)}`);
  const budget = positive(fn, 'budget', options.budget, 100);
  signal?.throwIfAborted();
  const no = (reason: string): TuneReport => ({ tuned: [], reason });
  if (!isGpu(backend)) return no('The CPU has no plans to choose from.');
  if (backend.planned) return no('The plan that createContext was given is kept.');
  if (backend.facts.software) return no('A software adapter is not measured: its default plan avoids all barriers.');
  const tuner = tuners.get(backend) ?? new Tuner(backend);
  tuners.set(backend, tuner);
  return tuner.tune({ backend, calls, budget, signal });
}
