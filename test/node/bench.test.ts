// The speed benchmark: what it computes of times, and that it times nothing that is wrong or refused.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allCases, casesLike } from '../../bench/speed/cases.ts';
import type { Opened, Openers, Prepared } from '../../bench/speed/contender.ts';
import { allContenders, contendersLike } from '../../bench/speed/contenders.ts';
import { isRight, makeCheck, makeInputs } from '../../bench/speed/inputs.ts';
import { readOptions } from '../../bench/speed/options.ts';
import { plainCase } from '../../bench/speed/plain.ts';
import { percentOfCopy, ratioToBestPeer, reportOf, toMarkdown } from '../../bench/speed/report.ts';
import { runBenchmark } from '../../bench/speed/run.ts';
import { timesOf } from '../../bench/speed/statistics.ts';
import type { BenchEvent, Case, Measurement, Report, Times } from '../../bench/speed/types.ts';
import { root } from './consumers/install.ts';

const caseOf = (id: string): Case => allCases.find((one) => one.id === id)!;
const small = caseOf('softmax 256x10');

describe('cases and contenders', () => {
  it('have names of their own', () => {
    const ids = [...allCases, ...allContenders].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(allCases.length).toBe(64);
  });

  it('count the bytes that must move', () => {
    expect(caseOf('softmax 64x1000').bytes).toBe(2 * 4 * 64_000);
    expect(caseOf('crossEntropy 64x1000').bytes).toBe(4 * (64_000 + 64 + 1));
    expect(caseOf('topK 64x1000').bytes).toBe(4 * 64_000 + 64 * 5 * 8);
    expect(caseOf('predict N1 D2048 C1000').bytes).toBe(4 * (2048 + 2_048_000 + 1000) + 5 * 8);
  });

  it('are found by words', () => {
    const ids = (...words: string[]) => casesLike(words).map(({ id }) => id);
    expect(ids('softmax 1x1000')).toEqual(['softmax 1x1000']);
    expect(ids('1x1000')).toHaveLength(6);
    expect(ids('crossEntropy').every((id) => id.startsWith('crossEntropy '))).toBe(true);
    expect(ids('D2048', 'argmax 256x10')).toEqual(['argmax 256x10', 'predict N1 D2048 C1000']);
    expect(contendersLike(['tfjs', 'copy']).map(({ id }) => id)).toEqual(['tfjs-webgpu', 'tfjs-wasm', 'copy']);
    expect(() => readOptions(['--cases', 'softmax,sofmax'])).toThrow('--cases: nothing is called "sofmax"');
    expect(() => readOptions(['--budget', 'soon'])).toThrow('--budget must be a number of milliseconds above 0');
  });
});

describe('the check', () => {
  it.each(['softmax', 'logSoftmax', 'crossEntropy', 'crossEntropyGradient', 'argmax', 'topK'])(
    'lets the plain loop of %s pass, and no answer with one number off',
    async (operation) => {
      const one = caseOf(`${operation} 256x10`);
      const inputs = makeInputs(one);
      const check = makeCheck(one, inputs);
      const prepared = plainCase(one, inputs);
      prepared.run();
      const outputs = await prepared.result();
      expect(isRight(check(outputs), one, 'plain')).toBe(true);
      for (const [name, numbers] of Object.entries(outputs)) {
        const off = Array.from(numbers);
        const largest = Math.max(...off.map(Math.abs));
        off[off.length - 1] = name === 'indices' ? (off.at(-1)! + 1) % 10 : off.at(-1)! + 0.01 * largest;
        expect(isRight(check({ ...outputs, [name]: off }), one, 'plain'), name).toBe(false);
        expect(isRight(check({ ...outputs, [name]: Array.from(off).fill(Number.NaN) }), one, 'plain'), name).toBe(
          false,
        );
        expect(isRight(check({ ...outputs, [name]: off.slice(1) }), one, 'plain'), name).toBe(false);
      }
    },
  );

  it('holds crosshead to its promises where peers may lose digits', () => {
    const one = caseOf('crossEntropyGradient 256x10');
    expect(isRight({ loss: 1e-6, rows: 1e-6 }, one, 'crosshead')).toBe(true);
    expect(isRight({ loss: 3e-6, rows: 1e-6 }, one, 'crosshead')).toBe(false);
    expect(isRight({ loss: 1e-6, rows: 1e-5 }, one, 'crosshead')).toBe(false);
    expect(isRight({ loss: 3e-6, rows: 1e-5 }, one, 'peer')).toBe(true);
    expect(isRight({ loss: Number.NaN, rows: 0 }, one, 'peer')).toBe(false);
  });
});

describe('the report', () => {
  it('takes medians and tenths of samples', () => {
    expect(timesOf([5, 1, 4, 2, 3])).toEqual({ median: 3, p10: 1.4, p90: 4.6, samples: 5 });
    expect(timesOf([1, 2])).toMatchObject({ median: 1.5 });
    expect(timesOf([7])).toEqual({ median: 7, p10: 7, p90: 7, samples: 1 });
    expect(timesOf([])).toBeUndefined();
  });

  const times = (median: number): Times => ({ median, p10: median, p90: median, samples: 3 });
  const measured = (contender: string, resident?: number, endToEnd?: number): Measurement => ({
    case: small.id,
    contender,
    status: 'measured',
    resident: resident === undefined ? undefined : times(resident),
    endToEnd: endToEnd === undefined ? undefined : times(endToEnd),
  });
  const own = { ...measured('crosshead-webgpu', 2, 12), plan: 'softmax/none-1x64', error: 1e-7, workspaceBytes: 512 };
  const report: Report = {
    environment: {
      date: '2026-01-02',
      runtime: 'a runtime',
      adapter: 'a gpu',
      software: false,
      cores: 4,
      versions: {},
    },
    cases: [small],
    contenders: allContenders,
    measurements: [
      own,
      measured('tfjs-wasm', 8, 9),
      measured('jax-webgpu', 4, 40),
      { ...measured('jax-wasm'), status: 'wrong', note: 'off by 1' },
      { ...measured('copy', 1), endToEnd: undefined },
      measured('plain', 0.5, 0.5),
    ],
  };

  it('compares with the best peer of each way, whichever it is', () => {
    expect(ratioToBestPeer(report, own)).toEqual({ resident: 2 / 4, endToEnd: 12 / 9 });
    expect(ratioToBestPeer(report, own, 'gpu')).toEqual({ resident: 2 / 4, endToEnd: 12 / 40 });
    expect(ratioToBestPeer({ ...report, measurements: [own] }, own)).toEqual({ resident: null, endToEnd: null });
  });

  it('counts a peer on a GPU that computes on the CPU as one of the CPU', () => {
    const measurements = report.measurements.map((one) =>
      one.contender === 'jax-webgpu' ? { ...one, onCpu: true } : one,
    );
    expect(ratioToBestPeer({ ...report, measurements }, own, 'gpu')).toEqual({ resident: null, endToEnd: null });
    expect(ratioToBestPeer({ ...report, measurements }, own, 'cpu')).toEqual({ resident: 2 / 4, endToEnd: 12 / 9 });
    const text = toMarkdown({ ...report, measurements });
    expect(text).toContain('| 4 / 40 † |');
    expect(text).toContain('* † In part on the CPU, whatever was asked for: no peer on a GPU.');
    expect(toMarkdown(report)).not.toContain('†');
  });

  it('compares with a copy', () => {
    expect(percentOfCopy(report, own)).toBe(50);
    expect(percentOfCopy({ ...report, measurements: [own] }, own)).toBeNull();
  });

  it('becomes Markdown, in which what failed is said', () => {
    const lines = toMarkdown(report).split('\n');
    expect(lines[0]).toBe('2026-01-02. a runtime, 4 cores; WebGPU adapter: a gpu.');
    expect(lines).toContain('| softmax 256x10 | 2 / 12 | 8 / 9 | 4 / 40 | wrong | 1 / – | 0.5 / 0.5 |');
    const detail = lines.find((line) => line.includes('softmax/none-1x64'))!;
    expect(detail).toContain('| 50 | 0.5 / 0.3 | 0.5 / 1.3 | jax-js, WebGPU | 1.0e-7 |');
    expect(lines).toContain('* softmax 256x10, jax-wasm: wrong. off by 1');
    const widths = lines.filter((line) => line.startsWith('| softmax')).map((line) => line.split('|').length);
    const heads = lines.filter((line) => line.startsWith('| ---')).map((line) => line.split('|').length);
    expect(widths).toEqual(heads);
  });
});

describe('a run', () => {
  /** The plain loop, changed. */
  const opened = (change: (prepared: Prepared) => Partial<Prepared>): (() => Promise<Opened>) => {
    return async () => ({
      prepare: async (one, inputs) => {
        const prepared = plainCase(one, inputs);
        return { ...prepared, ...change(prepared) };
      },
    });
  };
  const measureWith = async (openers: Openers, cases = [small.id], limit = 5000) => {
    const events: BenchEvent[] = [];
    const settings = { cases, contenders: Object.keys(openers), budget: 50, limit }; // ms, which a call of 256 rows does not take on a slow machine either
    for await (const event of runBenchmark(settings, openers)) events.push(event);
    return { events, measurements: reportOf(events)!.measurements };
  };

  it('times what is right', async () => {
    const { events, measurements } = await measureWith({ plain: opened(() => ({})) });
    expect(measurements).toMatchObject([{ case: small.id, contender: 'plain', status: 'measured' }]);
    const [{ resident, endToEnd, gigabytesPerSecond }] = measurements;
    expect(resident!.samples).toBeGreaterThanOrEqual(3);
    expect(endToEnd!.median).toBeGreaterThan(0);
    expect(gigabytesPerSecond).toBeCloseTo(small.bytes / resident!.median / 1e6, 9);
    expect(events.at(-1)).toEqual({ type: 'end', cancelled: false });
  });

  it('does not time what is wrong, on either way', async () => {
    const zeros = async () => ({ result: new Float32Array(small.rows * small.classes) });
    const { measurements } = await measureWith({
      'tfjs-wasm': opened(() => ({ result: zeros })),
      'jax-wasm': opened(() => ({ endToEnd: zeros })),
    });
    expect(measurements.map(({ status, resident }) => [status, resident])).toEqual([
      ['wrong', undefined],
      ['wrong', undefined],
    ]);
    expect(measurements[1].note).toContain('end to end');
  });

  it('voids what the device refused some of, though its numbers are right', async () => {
    const refusedLater = async (): Promise<Opened> => {
      const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
      return opened((prepared) => {
        let answered = false;
        return {
          endToEnd: async () => {
            answered = true; // the last answer that is checked
            return prepared.endToEnd!();
          },
          wait: async () => {
            // Once it is timed: a buffer with a usage that there is not.
            if (answered) device.createBuffer({ size: 4, usage: 0x8000 });
            await device.queue.onSubmittedWorkDone();
          },
        };
      })();
    };
    const { measurements } = await measureWith({ 'tfjs-webgpu': refusedLater });
    expect(measurements).toMatchObject([{ status: 'void' }]);
    expect(measurements[0].resident).toBeUndefined();
    expect(measurements[0].note).toContain('the device refused');
  });

  it('goes on without a contender that hangs, throws or is missing', async () => {
    const openers: Openers = {
      'tfjs-wasm': opened(() => ({ run: () => new Promise<void>(() => {}) })),
      'jax-wasm': opened(() => ({
        run: () => {
          throw new Error('no memory');
        },
      })),
      'onnxruntime-wasm': () => Promise.reject(new Error('not installed')),
      plain: opened(() => ({})),
    };
    const { measurements } = await measureWith(openers, [small.id, 'argmax 256x10'], 3000);
    const of = (id: string) => measurements.filter(({ contender }) => contender === id);
    expect(of('tfjs-wasm').map(({ note }) => note)).toEqual([
      'did not return within 3 s',
      'did not return from softmax 256x10',
    ]);
    expect(of('jax-wasm')).toMatchObject([{ status: 'failed', note: 'no memory' }, { status: 'failed' }]);
    expect(of('onnxruntime-wasm')).toMatchObject([{ status: 'unsupported', note: 'not installed' }, {}]);
    expect(of('plain').map(({ status }) => status)).toEqual(['measured', 'measured']);
  });

  it('stops at a signal', async () => {
    const abort = new AbortController();
    const events: BenchEvent[] = [];
    const openers: Openers = { plain: opened(() => ({})) };
    for await (const event of runBenchmark({ signal: abort.signal, contenders: ['plain'] }, openers)) {
      events.push(event);
      if (event.type === 'running') abort.abort();
    }
    expect(events.at(-1)).toEqual({ type: 'end', cancelled: true });
    expect(events.length).toBeLessThan(5);
  });
});

it('the command line measures crosshead in Node, and writes the report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-bench-'));
  try {
    const file = join(folder, 'report.json');
    const args = ['bench/speed/bench.mjs', '--node', '--cases', 'softmax 64x1000', '--budget', '50', '--json', file];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const report: Report = JSON.parse(readFileSync(file, 'utf8'));
    const own = report.measurements.find(({ contender }) => contender === 'crosshead-webgpu')!;
    expect(own).toMatchObject({ case: 'softmax 64x1000', status: 'measured', buffersCreated: 0 });
    expect(own.resident!.median).toBeGreaterThan(0);
    expect(own.plan).toMatch(/^softmax\//);
    expect(percentOfCopy(report, own)).toBeGreaterThan(0);
    expect(report.measurements.map(({ contender }) => contender).sort()).toEqual([
      'copy',
      'crosshead-cpu',
      'crosshead-webgpu',
      'plain',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
