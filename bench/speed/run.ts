// Runs the cases: each contender is checked, then all of a case are timed in turns, so that what drifts hits all alike.
import { allCases } from './cases.ts';
import type { Opened, Openers, Prepared } from './contender.ts';
import { allContenders } from './contenders.ts';
import { type Errors, type Inputs, isRight, makeCheck, makeInputs, type Outputs } from './inputs.ts';
import { closeShared, own, sharedContext } from './own.ts';
import { timesOf } from './statistics.ts';
import type { BenchEvent, Case, Contender, Environment, Measurement, Settings } from './types.ts';
import { type Watch, watchDevices } from './watch.ts';

export const defaults = { budget: 200, limit: 20_000 } as const;

/** How a note begins of a contender that gave no answer: what it still does would disturb the others. */
export const hung = 'did not return';

/** A batch of calls is as long as this part of the budget. */
const batchPart = 1 / 20;
const mostCalls = 200;
const mostRounds = 100;
/** Rounds at least; a contender of which one call takes all of its budget gets a single one, without warm-up. */
const leastRounds = 3;
/** A first call that is slower, in ms, is not made again to learn how long a warm one takes. */
const slow = 1000;

class Failure extends Error {
  readonly status: Measurement['status'];
  readonly error?: number;

  constructor(status: Measurement['status'], message: string, error?: number) {
    super(message);
    this.status = status;
    this.error = error;
  }
}

interface Entry {
  readonly contender: Contender;
  readonly opened: Opened | null;
  /** Why it computes nothing. */
  out: Failure | null;
}

/** A contender whose answers on a case were right. */
interface Candidate {
  readonly entry: Entry;
  readonly prepared: Prepared;
  readonly error: number;
  /** Calls a sample. */
  readonly calls: Readonly<Record<Way, number>>;
  readonly rounds: number;
  readonly warmUp: boolean;
  readonly samples: Readonly<Record<Way, number[]>>;
  round: number;
  spent: number;
  buffersCreated: number;
  failure: Failure | null;
}

type Way = 'resident' | 'endToEnd';

interface Run {
  readonly budget: number;
  readonly limit: number;
  readonly signal?: AbortSignal;
  readonly watch: Watch;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const failureOf = (error: unknown): Failure =>
  error instanceof Failure ? error : new Failure('failed', messageOf(error).split('\n')[0]);

/** What `work` gives, or a failure where it takes longer than `limit` ms: at once where it waits, later where it blocks. */
async function within<T>(limit: number, work: () => T | Promise<T>): Promise<T> {
  const begin = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${hung} within ${limit / 1000} s`;
    timer = setTimeout(() => reject(new Failure('failed', message)), limit);
  });
  try {
    const result = await Promise.race([work(), late]);
    const seconds = (performance.now() - begin) / 1000;
    if (1000 * seconds > limit) throw new Failure('failed', `cut off: one call took ${seconds.toFixed(0)} s`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

async function batch(prepared: Prepared, way: Way, calls: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < calls; i++) {
    const promise = way === 'resident' ? prepared.run() : prepared.endToEnd!();
    if (promise) await promise;
  }
  if (way === 'resident') await prepared.wait();
  return (performance.now() - begin) / calls;
}

function throwIfRefused(watch: Watch): void {
  const errors = watch.takeErrors();
  if (errors.length)
    throw new Failure('void', `the device refused ${errors.length} times: ${errors[0].split('\n')[0]}`);
}

/** Of a copy, whether the words arrived; of all others, how far they are from float64. */
const errorsOf = (contender: Contender, check: (outputs: Outputs) => Errors, outputs: Outputs): Errors => {
  if (contender.kind !== 'limit') return check(outputs);
  const { copied, expected } = outputs;
  const same = Array.from(expected).every((word, i) => copied[i] === word);
  return { loss: 0, rows: same ? 0 : Number.POSITIVE_INFINITY };
};

/** Answers both ways, held against float64. Gives the worst error, and the time of a call each way. */
async function checked(entry: Entry, prepared: Prepared, one: Case, check: (outputs: Outputs) => Errors, run: Run) {
  let error = 0;
  const expectRight = (outputs: Outputs, way: string) => {
    const errors = errorsOf(entry.contender, check, outputs);
    error = Math.max(error, errors.loss, errors.rows);
    throwIfRefused(run.watch);
    if (!isRight(errors, one, entry.contender.kind))
      throw new Failure('wrong', `${way}: off by ${error.toExponential(1)}`, error);
  };
  const first = await within(run.limit, () => batch(prepared, 'resident', 1));
  expectRight(await within(run.limit, () => prepared.result()), 'resident');
  if (!prepared.endToEnd) return { error, resident: await again(first), endToEnd: 0 };
  const begin = performance.now();
  const outputs = await within(run.limit, () => prepared.endToEnd!());
  const endToEnd = performance.now() - begin;
  expectRight(outputs, 'end to end');
  return { error, resident: await again(first), endToEnd };

  async function again(first: number): Promise<number> {
    return first > slow ? first : batch(prepared, 'resident', 1);
  }
}

const callsFor = (time: number, budget: number): number =>
  Math.max(1, Math.min(mostCalls, Math.round((budget * batchPart) / Math.max(time, 1e-3))));

async function prepareCandidate(entry: Entry, one: Case, inputs: Inputs, check: Check, run: Run): Promise<Candidate> {
  if (entry.out) throw entry.out;
  const opened = entry.opened!;
  await opened.enter?.();
  run.watch.takeErrors();
  const prepared = await within(run.limit, () => opened.prepare(one, inputs));
  if (!prepared) throw new Failure('unsupported', 'has no such operation');
  try {
    const { error, resident, endToEnd } = await checked(entry, prepared, one, check, run);
    const patient = resident + endToEnd < run.budget;
    return {
      entry,
      prepared,
      error,
      calls: { resident: callsFor(resident, run.budget), endToEnd: callsFor(endToEnd, run.budget) },
      rounds: patient ? leastRounds : 1,
      warmUp: patient,
      samples: { resident: [], endToEnd: [] },
      round: 0,
      spent: 0,
      buffersCreated: 0,
      failure: null,
    };
  } catch (error) {
    // What hangs may still use what it was given.
    if (!failureOf(error).message.startsWith(hung)) prepared.dispose();
    throw error;
  }
}

type Check = (outputs: Outputs) => Errors;

/** One sample each way of one contender. */
async function turn(candidate: Candidate, { watch, limit }: Run): Promise<void> {
  const { entry, prepared, calls, samples, warmUp } = candidate;
  const counts = !warmUp || candidate.round > 0;
  await entry.opened!.enter?.();
  const buffers = watch.buffers();
  const resident = await within(limit, () => batch(prepared, 'resident', calls.resident));
  const created = watch.buffers() - buffers;
  const endToEnd = prepared.endToEnd && (await within(limit, () => batch(prepared, 'endToEnd', calls.endToEnd)));
  throwIfRefused(watch);
  candidate.round++;
  if (!counts) return;
  candidate.buffersCreated += created;
  samples.resident.push(resident);
  if (endToEnd !== undefined) samples.endToEnd.push(endToEnd);
  candidate.spent += resident * calls.resident + (endToEnd ?? 0) * calls.endToEnd;
}

const isDone = ({ failure, samples, spent, rounds }: Candidate, budget: number): boolean =>
  failure !== null || samples.resident.length >= mostRounds || (spent >= budget && samples.resident.length >= rounds);

function measurementOf(candidate: Candidate, one: Case): Measurement {
  const { entry, prepared, samples, error, buffersCreated } = candidate;
  const resident = timesOf(samples.resident);
  return {
    case: one.id,
    contender: entry.contender.id,
    status: 'measured',
    error,
    resident,
    endToEnd: timesOf(samples.endToEnd),
    gigabytesPerSecond: resident && one.bytes / resident.median / 1e6,
    ...(entry.contender.device === 'gpu' && { buffersCreated }),
    ...prepared.facts?.(),
  };
}

const failed = (entry: Entry, one: Case, { status, message, error }: Failure): Measurement => ({
  case: one.id,
  contender: entry.contender.id,
  status,
  note: message,
  ...(error !== undefined && { error }),
});

async function open(contender: Contender, openers: Openers): Promise<Entry> {
  const opener = openers[contender.id];
  try {
    if (!opener) throw new Error('is not part of this run');
    return { contender, opened: await opener(), out: null };
  } catch (error) {
    return { contender, opened: null, out: new Failure('unsupported', messageOf(error).split('\n')[0]) };
  }
}

async function environmentOf(): Promise<Environment> {
  const context = await sharedContext().catch(() => null);
  const info = context?.adapterInfo;
  return {
    date: new Date().toISOString().slice(0, 10),
    runtime: globalThis.navigator?.userAgent?.match(/(?:Edg|Firefox|Chrome|Version)\/[\d.]+/)?.[0] ?? 'unknown',
    adapter: info ? [info.vendor, info.architecture || info.device].filter(Boolean).join(' ') || 'unnamed' : null,
    software: / software adapter/.test(context?.reason ?? ''),
    cores: globalThis.navigator?.hardwareConcurrency ?? 1,
    versions: {},
  };
}

type Progress = (entry: Entry, phase: 'checking' | 'timing') => Extract<BenchEvent, { type: 'running' }>;

/** Yields what happens; measurements as soon as they are known. */
async function* runCase(one: Case, entries: Entry[], run: Run, progress: Progress): AsyncGenerator<BenchEvent> {
  const inputs = makeInputs(one);
  const check = makeCheck(one, inputs);
  const candidates: Candidate[] = [];
  const stopped = () => run.signal?.aborted ?? false;
  for (const entry of entries) {
    if (stopped()) break;
    yield progress(entry, 'checking');
    try {
      candidates.push(await prepareCandidate(entry, one, inputs, check, run));
    } catch (error) {
      const failure = failureOf(error);
      if (failure.message.startsWith(hung)) entry.out ??= new Failure('failed', `${hung} from ${one.id}`);
      yield { type: 'measured', measurement: failed(entry, one, failure) };
    }
  }
  yield* timeAll(candidates, run, progress);
  for (const candidate of candidates) {
    const measurement = candidate.failure
      ? failed(candidate.entry, one, candidate.failure)
      : measurementOf(candidate, one);
    if (candidate.failure || candidate.samples.resident.length) yield { type: 'measured', measurement };
    candidate.prepared.dispose();
  }
}

/** Rounds in which each contender that is not done takes one turn. */
async function* timeAll(candidates: Candidate[], run: Run, progress: Progress): AsyncGenerator<BenchEvent> {
  let told = Number.NEGATIVE_INFINITY;
  for (;;) {
    const active = candidates.filter((one) => !isDone(one, run.budget));
    if (active.length === 0) return;
    for (const candidate of active) {
      if (run.signal?.aborted) return;
      // Rarely, since listeners take time of their own.
      if (candidate.round === 0 || performance.now() - told > 1000) {
        told = performance.now();
        yield progress(candidate.entry, 'timing');
      }
      try {
        await turn(candidate, run);
      } catch (error) {
        candidate.failure = failureOf(error);
      }
    }
  }
}

const chosen = <T extends { readonly id: string }>(all: readonly T[], ids?: readonly string[]): T[] =>
  all.filter(({ id }) => !ids || ids.includes(id));

/**
 * Measures cases by contenders and tells of it as it goes. Stops at `signal`, between two turns.
 * @param openers the contenders that can be opened here; the others are `unsupported`
 */
export async function* runBenchmark(settings: Settings = {}, openers: Openers = own): AsyncGenerator<BenchEvent> {
  const { budget = defaults.budget, limit = defaults.limit, signal, skip = [] } = settings;
  const cases = chosen(allCases, settings.cases);
  const contenders = chosen(allContenders, settings.contenders);
  const watch = watchDevices();
  const entries: Entry[] = [];
  try {
    const environment = await environmentOf();
    yield { type: 'start', cases, contenders, environment };
    for (const contender of contenders) entries.push(await open(contender, openers));
    let done = 0;
    const total = cases.length * contenders.length;
    for (const one of cases) {
      if (signal?.aborted) break;
      const progress: Progress = ({ contender }, phase) => ({
        type: 'running',
        case: one.id,
        contender: contender.id,
        phase,
        done,
        total,
      });
      const left = entries.filter(({ contender }) => !skip.includes(`${one.id}, ${contender.id}`));
      done += entries.length - left.length;
      for await (const event of runCase(one, left, { budget, limit, signal, watch }, progress)) {
        if (event.type === 'measured') done++;
        yield event;
      }
    }
    yield { type: 'end', cancelled: signal?.aborted ?? false };
  } finally {
    for (const { opened } of entries) opened?.close?.();
    await closeShared();
    watch.end();
  }
}
