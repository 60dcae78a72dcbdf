// The linker: parts of WGSL in, one module out, with what it binds read back from its text. No GPU.
import { describe, expect, it } from 'vitest';
import quads from '../shaders/lib/quads_any.wgsl';
import linear from '../shaders/linear.wgsl';
import softmax from '../shaders/softmax.wgsl';
import { link, needsOf, offsetsIndex, type Part, seams } from '../src/webgpu/link.ts';

const part = (file: string, text: string, needs: Part[] = [], seams: string[] = []): Part => ({
  file,
  text,
  needs,
  seams,
});

const base = part('lib/base.wgsl', 'const BASE = 1u;\nfn base() -> u32 { return BASE; }');
const left = part('lib/left.wgsl', 'fn side() -> u32 { return base(); }', [base]);
const right = part('lib/right.wgsl', 'fn side() -> u32 { return 2u * base(); }', [base]);
const kernel = part(
  'kernel.wgsl',
  `struct Params {
  rows: u32, // how many: all of them
  scale: f32,
  index: i32
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(5) var<storage,read_write> y : array<vec2<f32>>;
@group(0)
@binding(3) var<storage, read> z: array<u32>;

override WIDE: bool = false;
override LANES: u32 = 1u;

fn main() { y[0] = vec2f(f32(side() + base())); }`,
  [base],
  ['side'],
);
const all = new Set(['x', 'y', 'z']);
const lineOf = (code: string, text: string) => code.split('\n').findIndex((line) => line.includes(text)) + 1;

describe('link', () => {
  it('takes each file once, though several need it, and of a seam what was chosen', () => {
    const { code } = link(kernel, { side: left }, all);
    for (const text of ['const BASE', 'fn base()', 'fn side()', 'fn main()']) expect(code.split(text)).toHaveLength(2);
    expect(code).toContain(left.text);
    expect(code).not.toContain(right.text);
    expect(link(kernel, { side: right, unused: left }, all).code).toContain(right.text);
    expect(link(kernel, { side: right, unused: left }, all).code).not.toContain(left.text);
  });

  it('follows files that need each other', () => {
    const a: Part = { ...part('a.wgsl', 'fn a() {}'), needs: [] };
    const b = part('b.wgsl', 'fn b() {}', [a]);
    (a.needs as Part[]).push(b);
    expect(link(a, {}, all).code.match(/fn [ab]\(\)/g)).toEqual(['fn a()', 'fn b()']);
  });

  it('says which seam nothing was chosen for, and in which file', () => {
    expect(() => link(kernel, {}, all)).toThrow('kernel.wgsl: nothing was chosen for the seam "side"');
    const deep = part('deep.wgsl', '', [part('lib/inner.wgsl', '', [], ['order'])]);
    expect(() => link(deep, { side: left }, all)).toThrow('lib/inner.wgsl: nothing was chosen for the seam "order"');
  });

  it('reads bindings, uniforms and overrides from the text', () => {
    const { bindings, params, overrides } = link(kernel, { side: left }, all);
    expect(bindings.map(({ name, index, uniform }) => [name, index, uniform])).toEqual([
      ['params', 2, true],
      ['x', 0, false],
      ['y', 5, false],
      ['z', 3, false],
    ]);
    expect(params).toEqual([
      { name: 'rows', type: 'u32' },
      { name: 'scale', type: 'f32' },
      { name: 'index', type: 'i32' },
    ]);
    expect([...overrides]).toEqual(['WIDE', 'LANES']);
    expect(link(base, {}, all)).toMatchObject({ bindings: [], params: [] });
  });

  it('writes an offset for each storage binding, in the order of the bindings', () => {
    const { code } = link(kernel, { side: left }, all);
    expect(code).toContain('struct Offsets { x: u32, y: u32, z: u32 }');
    expect(code).toContain(`@group(0) @binding(${offsetsIndex}) var<uniform> offsets: Offsets;`);
  });

  it('makes a binding that is not given a private array of one', () => {
    const { code, bindings } = link(kernel, { side: left }, new Set(['z']));
    expect(bindings.map(({ name }) => name)).toEqual(['params', 'z']);
    expect(code).toContain('var<private> x: array<u32, 1>;');
    expect(code).toMatch(/var<private> y\s*: array<vec2<f32>, 1>;/);
    expect(code).not.toMatch(/@binding\([05]\)/);
    expect(code).toContain('@binding(3) var<storage, read> z: array<u32>;');
    // What is bound comes first, so that the offsets of what is bound are where they are written.
    expect(code).toContain('struct Offsets { z: u32, x: u32, y: u32 }');
  });

  it('enables what a file needs before any declaration', () => {
    const choices = {
      reduce: seams.reduce.subgroup,
      sums: seams.sums.own,
      exponentials: seams.exponentials.made,
      softcap: seams.softcap.none,
      io: seams.io.separate,
      inputElement: seams.input.half,
    };
    const subgroups = link(
      softmax,
      { ...choices, outputElement: seams.output.f16 },
      new Set(['input', 'output']),
    ).code.split('\n');
    const enables = subgroups.filter((line) => /^(enable|requires|diagnostic)/.test(line));
    expect(enables.join(' ')).toMatch(/enable f16;/);
    expect(enables.join(' ')).toMatch(/enable subgroups; requires subgroup_id;/);
    expect(subgroups.slice(0, enables.length)).toEqual(enables);
    const plain = link(
      softmax,
      { ...choices, reduce: seams.reduce.none, outputElement: seams.output.word },
      new Set(['input', 'output']),
    );
    expect(plain.code).not.toMatch(/^(enable|requires|diagnostic)/m);
  });

  it.each([
    ['softmax', softmax, { reduce: seams.reduce.subgroup, io: seams.io.inPlace }, ['output']],
    ['linear', linear, { quads }, ['features', 'weight', 'output']],
  ] as const)('finds the file of every line: %s', (_, kernel, choices, given) => {
    const elements = {
      sums: seams.sums.own,
      exponentials: seams.exponentials.made,
      softcap: seams.softcap.none,
      inputElement: seams.input.f16,
      outputElement: seams.output.f16,
    };
    const { code, locate } = link(kernel, { ...elements, ...choices }, new Set(given));
    const files = new Map<string, string[]>();
    const collect = (part: Part) => {
      files.set(`shaders/${part.file}`, part.text.split('\n'));
      needsOf(part).forEach(collect);
    };
    for (const part of [kernel, ...Object.values({ ...elements, ...choices })]) collect(part);
    const lines = code.split('\n');
    const found = new Set<string>();
    lines.forEach((line, i) => {
      const place = locate(i + 1);
      if (/^(enable|const HELD|struct Offsets|@group\(0\) @binding\(99\))/.test(line)) {
        expect(place).toBe('the linker');
        return;
      }
      const [file, number] = place.split(':');
      const written = files.get(file)?.[Number(number) - 1];
      if (line.startsWith('var<private>') && line !== written)
        expect(written).toContain('@binding'); // one that is not given
      else expect(written, `line ${i + 1}, said to be ${place}`).toBe(line);
      found.add(file);
    });
    expect(found.size).toBeGreaterThan(3);
    for (const line of [0, -1, lines.length + 1]) expect(locate(line)).toBe('the linker');
  });

  it('counts lines from 1, past what it wrote itself', () => {
    const { code, locate } = link(kernel, { side: right }, all);
    expect(locate(lineOf(code, 'struct Params'))).toBe('shaders/kernel.wgsl:1');
    expect(locate(lineOf(code, 'override LANES'))).toBe('shaders/kernel.wgsl:14');
    expect(locate(lineOf(code, 'const BASE'))).toBe('shaders/lib/base.wgsl:1');
    expect(locate(lineOf(code, 'fn base()'))).toBe('shaders/lib/base.wgsl:2');
    expect(locate(lineOf(code, '2u * base()'))).toBe('shaders/lib/right.wgsl:1');
    expect(locate(lineOf(code, 'struct Offsets'))).toBe('the linker');
  });
});
