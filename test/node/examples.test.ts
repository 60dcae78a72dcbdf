// What examples/ and the command line do, as a user runs them from a built repository. Pages with and without a bundler, and Node, are
// in consumers.test.ts.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer';
import { afterAll, describe, expect, it } from 'vitest';
import { browserArgs, findBrowser, softwareVulkan } from '../../scripts/browser.mjs';
import * as reference from '../support/reference.ts';
import { root } from './consumers/install.ts';
import { serve } from './consumers/serve.ts';

const folder = mkdtempSync(join(tmpdir(), 'crosshead-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);
const write = (name: string, ...parts: (string | ArrayBufferView)[]) => {
  const bytes = parts.map((part) =>
    typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part.buffer, part.byteOffset, part.byteLength),
  );
  writeFileSync(path(name), Buffer.concat(bytes));
  return path(name);
};

/** A file as numpy.save writes it. */
function writeNpy(name: string, data: ArrayBufferView, descr: string, shape: string, fortran = 'False', version = 1) {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
  const lengthBytes = version === 1 ? 2 : 4;
  const header = `${text.padEnd(118 - 6 - 2 - lengthBytes - 1)}\n`;
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntLE(header.length, 0, lengthBytes);
  return write(name, `\x93NUMPY${String.fromCharCode(version)}\0`, length, header, data);
}

/** A safetensors file; each tensor's bytes follow those of the one before. */
function writeSafetensors(name: string, tensors: Record<string, [string, number[], ArrayBufferView]>, more = {}) {
  let end = 0;
  const entries = Object.entries(tensors).map(([key, [dtype, shape, { byteLength }]]) => {
    end += byteLength;
    return [key, { dtype, shape, data_offsets: [end - byteLength, end] }];
  });
  const header = JSON.stringify({ ...Object.fromEntries(entries), ...more });
  const length = new BigUint64Array([BigInt(header.length)]);
  return write(name, length, header, ...Object.values(tensors).map(([, , data]) => data));
}

interface Run {
  readonly status: number;
  readonly out: string;
  readonly said: string;
}
const crosshead = (...args: string[]): Promise<Run> =>
  new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'bin/crosshead.mjs'), ...args], { cwd: folder }, (error, out, said) =>
      resolve({ status: error ? Number(error.code) : 0, out, said }),
    );
  });

// Three classes of two features: the scores of a row [a, b] are the softmax of [a, b, a + b - 1].
const weight = new Float32Array([1, 0, 0, 1, 1, 1]);
const bias = new Float32Array([0, 0, -1]);
const rows = [
  [0.5, -0.25],
  [2, 3],
  [-1, 0.75],
];
const scores = (r: number) => reference.softmax([rows[r][0], rows[r][1], rows[r][0] + rows[r][1] - 1], [1, 3]);
const head = writeSafetensors('head.safetensors', {
  'classifier.weight': ['F32', [3, 2], weight],
  'classifier.bias': ['F32', [3], bias],
});
const config = write('config.json', JSON.stringify({ id2label: { 0: 'cat', 1: 'dog, wet', 2: 'owl' } }));
const floats = new Float32Array(rows.flat());
const halves = new Uint16Array([0x3800, 0xb400, 0x4000, 0x4200, 0xbc00, 0x3a00]);
const brains = Uint16Array.from(new Uint32Array(floats.buffer), (word) => word >>> 16); // all are exact
const matrix = '(3, 2)';
const predict = (features: string, ...args: string[]) =>
  crosshead('predict', head, features, ...(args.includes('--backend') ? [] : ['--backend', 'cpu']), ...args);

/** Holds answers to the reference: all classes of each row, best first. */
function expectAnswers(answers: { index: number; score: number; label: string }[][], labels = ['0', '1', '2']) {
  expect(answers.length).toBe(rows.length);
  answers.forEach((list, r) => {
    const wanted = scores(r);
    expect(list.map(({ index }) => index)).toEqual([0, 1, 2].sort((a, b) => wanted[b] - wanted[a]));
    for (const { index, label, score } of list) {
      expect(label).toBe(labels[index]);
      expect(Math.abs(score - wanted[index])).toBeLessThan(1e-6);
    }
  });
}

describe('crosshead predict', () => {
  it.each([
    ['float32', () => writeNpy('f4.npy', floats, '<f4', matrix)],
    ['float64', () => writeNpy('f8.npy', Float64Array.from(floats), '<f8', matrix)],
    ['float16, version 2', () => writeNpy('f2.npy', halves, '<f2', matrix, 'False', 2)],
    ['safetensors F32', () => writeSafetensors('x.safetensors', { x: ['F32', [3, 2], floats] })],
    ['safetensors F64', () => writeSafetensors('x8.safetensors', { x: ['F64', [3, 2], Float64Array.from(floats)] })],
    ['safetensors BF16', () => writeSafetensors('b.safetensors', { x: ['BF16', [3, 2], brains] })],
  ])('reads %s', async (_, make) => {
    const { status, out, said } = await predict(make(), '--format', 'json');
    expect(said).toMatch(/^3 rows, [\d,]+ rows a second\. The CPU was asked for\./);
    expect(status).toBe(0);
    expectAnswers(JSON.parse(out));
  });

  it('takes one of several matrices by name, F16 between an odd number of bytes', async () => {
    const odd = new Uint8Array(3);
    const file = writeSafetensors('several.safetensors', {
      a: ['U8', [3], odd],
      x: ['F16', [3, 2], halves],
      y: ['F32', [3, 2], floats],
    });
    const { out } = await predict(file, '--tensor', 'x', '--format', 'json');
    expectAnswers(JSON.parse(out));
    const unnamed = await predict(file);
    expect(unnamed).toEqual({
      status: 1,
      out: '',
      said: expect.stringMatching(/2 matrices: choose one with --tensor/),
    });
  });

  it('writes CSV into a file, with labels of a config', async () => {
    const args = ['--format', 'csv', '--top-k', '2', '--config', config, '--output', 'out.csv', '--quiet'];
    expect(await predict(writeNpy('f.npy', floats, '<f4', matrix), ...args)).toEqual({ status: 0, out: '', said: '' });
    const lines = readFileSync(path('out.csv'), 'utf8').split('\n');
    expect(lines[0]).toBe('row,rank,index,label,score');
    expect(lines.length).toBe(1 + 2 * 3 + 1);
    expect(lines[3]).toMatch(/^1,1,2,owl,0\.\d{6,7}$/);
    expect(lines[4]).toMatch(/^1,2,1,"dog, wet",0\.\d{6,7}$/);
  });

  it('says NaN for a row without an answer, and leaves its neighbours alone', async () => {
    const file = writeNpy('nan.npy', new Float32Array([0.5, -0.25, Number.NaN, 0]), '<f4', '(2, 2)');
    const [csv, json] = await Promise.all([
      predict(file, '--format', 'csv', '--top-k', '1'),
      predict(file, '--format', 'json', '--top-k', '1'),
    ]);
    expect(csv.out.split('\n')[1]).toMatch(/^0,1,0,0,0\.5685/);
    expect(csv.out.split('\n')[2]).toMatch(/,NaN$/);
    expect(JSON.parse(json.out)[1][0].score).toBe(null);
  });

  it('goes through more rows than one batch holds, in order', async () => {
    const many = 100_000;
    const features = Float32Array.from({ length: many * 2 }, (_, i) => rows[(i >> 1) % 3][i & 1]);
    const file = writeNpy('many.npy', features, '<f4', `(${many}, 2)`);
    const { status } = await predict(file, '--format', 'csv', '--top-k', '1', '--output', 'many.csv');
    const lines = readFileSync(path('many.csv'), 'utf8').trimEnd().split('\n').slice(1);
    expect([status, lines.length]).toEqual([0, many]);
    expect(lines.findIndex((line, r) => !line.startsWith(`${r},1,${[0, 2, 1][r % 3]},`))).toBe(-1);
  });

  it('answers one row, and none', async () => {
    const one = await predict(writeNpy('one.npy', floats.subarray(0, 2), '<f4', '(2,)'), '--format', 'json');
    expect(JSON.parse(one.out).length).toBe(1);
    const none = await predict(writeNpy('none.npy', floats.subarray(0, 0), '<f4', '(0, 2)'), '--format', 'json');
    expect(JSON.parse(none.out)).toEqual([]);
  });

  it('runs on WebGPU through the package webgpu', async () => {
    expect(softwareVulkan() ?? process.env.WEBGPU_ADAPTER, 'a Vulkan driver').toBeTruthy();
    const file = writeNpy('gpu.npy', floats, '<f4', matrix);
    const { out, said } = await predict(file, '--format', 'json', '--backend', 'webgpu');
    expect(said).toMatch(/WebGPU is at work/);
    expectAnswers(JSON.parse(out));
  });

  it('reads the digits of the example', async () => {
    const files = ['head.safetensors', 'digits.npy'].map((name) => join(root, 'examples/predict', name));
    const { out } = await crosshead('predict', ...files, '--top-k', '3', '--backend', 'cpu');
    const best = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ +/).filter(Boolean)[1]);
    expect(best.join('')).toBe('0113496789'); // two of ten wrong, as numpy has it
  });

  it.each([
    ['Fortran order', () => writeNpy('bad.npy', floats, '<f4', matrix, 'True'), /bad\.npy is in Fortran order/],
    ['integers', () => writeNpy('bad.npy', new Int32Array(6), '<i4', matrix), /holds <i4; features are <f8, <f4, <f2/],
    ['the other byte order', () => writeNpy('bad.npy', floats, '>f4', matrix), /holds >f4/],
    ['three axes', () => writeNpy('bad.npy', floats, '<f4', '(3, 1, 2)'), /have shape \[rows, depth\]/],
    [
      'a file cut short',
      () => writeNpy('bad.npy', floats.subarray(1), '<f4', matrix),
      /take 24 bytes, the file has 20/,
    ],
    ['a header cut short', () => write('bad.npy', '\x93NUMPY\x01\0\xff\xff{'), /ends at byte 11; it may be cut short/],
    ['eight bytes', () => write('bad.npy', '\x93NUMPY\x01\0'), /bad\.npy ends at byte 8, in its header/],
    ['a folder', () => folder, /is no file/],
    ['a huge header', () => write('bad.npy', '\x93NUMPY\x02\0\xff\xff\xff\xff{'), /header claims 4294967295 bytes/],
    [
      'a huge shape',
      () => writeNpy('bad.npy', floats, '<f4', '(99999999999, 99999999999)'),
      /have shape \[rows, depth\]/,
    ],
    ['text', () => write('bad.npy', 'hello, world, again'), /neither an \.npy nor a \.safetensors file/],
    ['no file', () => path('nowhere.npy'), /nowhere\.npy cannot be opened: ENOENT/],
    [
      'too small a tensor',
      () => writeSafetensors('bad', { x: ['F32', [4, 2], floats] }),
      /take 32 bytes, the file has 24/,
    ],
    [
      'offsets past the end',
      () => writeSafetensors('bad', {}, { x: { dtype: 'F32', shape: [1, 2], data_offsets: [8, 16] } }),
      /take 8 bytes, the file has 0/,
    ],
    [
      'offsets below 0',
      () => writeSafetensors('bad', {}, { x: { dtype: 'F32', shape: [1, 2], data_offsets: [-8, 0] } }),
      /no sound data_offsets/,
    ],
    ['a tensor that is null', () => writeSafetensors('bad', {}, { x: null }), /has 0 matrices|holds 0 matrices/],
    ['integer tensors', () => writeSafetensors('bad', { x: ['I64', [1, 2], new Float64Array(2)] }), /"x" is I64/],
  ])('refuses %s', async (_, make, message) => {
    const { openFeatures, FeaturesError } = await import(join(root, 'bin/features.mjs'));
    const error = await openFeatures(make()).catch((error: Error) => error);
    expect(error).toBeInstanceOf(FeaturesError);
    expect(error.message).toMatch(message);
  });

  it.each([
    [['train'], /"train" is no command/],
    [[], /no command/],
    [['predict', head], /takes two files/],
    [['predict', head, 'x', '--top-k', '0'], /--top-k must be a whole number from 1, got 0/],
    [['predict', head, 'x', '--format', 'xml'], /--format must be json, csv, table, got xml/],
    [['predict', head, 'x', '--topk', '1'], /--topk/],
  ])('exits with 2 for %j', async (args, message) => {
    expect(await crosshead(...args)).toEqual({ status: 2, out: '', said: expect.stringMatching(message) });
  });

  it('exits with 1 where the head does not fit the options, or is none', async () => {
    const file = writeNpy('f.npy', floats, '<f4', matrix);
    const wide = await predict(writeNpy('wide.npy', floats, '<f4', '(2, 3)'));
    expect(wide).toEqual({
      status: 1,
      out: '',
      said: 'crosshead: '.concat(path('wide.npy'), ' has rows of 3 numbers, the head takes 2\n'),
    });
    expect((await predict(file, '--top-k', '4')).said).toMatch(/--top-k 4 is more than the head's 3 classes/);
    expect((await predict(file, '--config', file)).said).toMatch(/f\.npy: .*JSON/);
    const { status, said } = await crosshead('predict', file, file, '--backend', 'cpu');
    expect([status, said]).toEqual([1, expect.stringMatching(/f\.npy: safetensors: /)]);
    const missing = await crosshead('predict', path('none.safetensors'), file, '--backend', 'cpu');
    expect([missing.status, missing.said]).toEqual([1, expect.stringMatching(/none\.safetensors cannot be opened: /)]);
  });

  it('tells its options and its version', async () => {
    const { out, status } = await crosshead('--help');
    expect(status).toBe(0);
    for (const option of ['config', 'tensor', 'top-k', 'backend', 'format', 'output', 'quiet'])
      expect(out).toContain(`--${option} `);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect((await crosshead('--version')).out).toBe(`${version}\n`);
  });
});

it('a Worker computes what would hold the page up, and the page stays awake', async () => {
  const { url, close } = await serve(root);
  const browser = await puppeteer.launch({ executablePath: findBrowser()?.path, args: browserArgs() });
  try {
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    await page.goto(`${url}examples/worker/`);
    await page.waitForFunction(() => document.querySelector('#answer')?.textContent?.startsWith('{'));
    const answer = JSON.parse(await page.$eval('#answer', (element) => element.textContent ?? ''));
    expect(said).toEqual([]);
    expect(answer.loss).toBeCloseTo(Math.log(16_000), 5);
    expect(answer.gradientSize).toBe(32 * 256);
    // On the page's own thread it would be one tick at the most: the call is one piece.
    expect(answer.ticks).toBeGreaterThan(3);
  } finally {
    await browser.close();
    close();
  }
});

it('every example is in examples/README.md, started by a script that exists', () => {
  const text = readFileSync(join(root, 'examples/README.md'), 'utf8');
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = [...text.matchAll(/`npm run ([\w:]+)`/g)].map(([, name]) => name);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
  const documented = Object.keys(scripts).filter((name) => name.startsWith('example:'));
  expect(documented.filter((name) => !named.includes(name))).toEqual([]);
  const files = documented.flatMap((name) => scripts[name].match(/\/?(?:examples|bin)\/[\w./-]+/g) ?? []);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
