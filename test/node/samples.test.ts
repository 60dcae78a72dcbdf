// Every code sample of README.md and the guides runs, on the CPU and on WebGPU, and computes what it says. None is left out: a fence of a
// language that no test runs is an error (see samples/extract.ts).
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './consumers/install.ts';
import { samplesOf } from './samples/extract.ts';

const guides = readdirSync(join(root, 'docs/guides')).map((name) => `docs/guides/${name}`);
const documents = ['README.md', 'examples/README.md', ...guides];
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const samples = documents.flatMap((file) => samplesOf(file, textOf(file)));
const isRun = (text: string) => [...text.matchAll(/^```(?:js|html)\b/gm)].length;

/** What packages stand for. `crosshead` is the built library; on WebGPU, contexts that ask for nothing are made on Dawn. */
const packages = (backend: string): Record<string, string> => ({
  crosshead: join(root, backend === 'cpu' ? 'dist/index.js' : 'test/node/samples/on-dawn.mjs'),
  './dist/index.js': join(root, backend === 'cpu' ? 'dist/index.js' : 'test/node/samples/on-dawn.mjs'),
  webgpu: join(root, 'node_modules/webgpu/index.js'),
  '@huggingface/transformers': join(root, 'test/node/samples/transformers.mjs'),
});

describe.each(['cpu', 'webgpu'])('on %s', (backend) => {
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let results: Map<string, string | null>;

  beforeAll(async () => {
    const known = packages(backend);
    for (const [i, { code, file, line }] of samples.entries()) {
      const resolved = code.replace(/from '([^']+)'/g, (_, from) => {
        if (!known[from]) throw new Error(`${file}:${line} imports ${from}, for which there is nothing here`);
        return `from '${pathToFileURL(known[from]).href}'`;
      });
      writeFileSync(join(folder, `${i}.mjs`), resolved);
    }
    writeFileSync(join(folder, 'samples.json'), JSON.stringify(samples.map((_, i) => `${i}.mjs`)));
    results = new Map((await run(folder)).map(({ file, error }) => [file, error]));
  }, 120_000);

  it.each(samples.map(({ file, line }, i) => [`${file}:${line}`, i] as const))('%s', (_, i) => {
    expect(results.has(`${i}.mjs`), 'it returned').toBe(true);
    expect(results.get(`${i}.mjs`)).toBe(null);
  });
});

it('none is left out, and most of them check what they print', () => {
  const fences = documents.reduce((sum, file) => sum + isRun(textOf(file)), 0);
  expect(samples.length).toBe(fences);
  expect(samples.length).toBeGreaterThan(25);
  expect(samples.reduce((sum, { checks }) => sum + checks, 0)).toBeGreaterThan(25);
  // Every arrow of a document has become a check.
  expect(samples.filter(({ code }) => code.includes('// →')).map(({ file, line }) => `${file}:${line}`)).toEqual([]);
});

it('a sample that prints something else is found', async () => {
  const { expectPrinted } = await import(join(root, 'test/node/samples/printed.mjs'));
  expectPrinted([[0.6590011, 0.2424], 'a', { x: 1, y: 2 }], "[0.659, 0.242], 'a', { x: 1 }");
  for (const [values, text] of [
    [[0.6596], '0.659'],
    [[1.01], '1'],
    [[[1, 2]], '[1]'],
    [[Number.NaN], '0'],
    [['a'], "'b'"],
    [[{ x: 2 }], '{ x: 1 }'],
  ])
    expect(() => expectPrinted(values, text)).toThrow(/the document prints/);
});

describe('links between documents', () => {
  const linked = [...documents, 'docs/ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
  it.each(linked)('%s names files and headings that there are', (file) => {
    const links = [
      ...textOf(file).matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)|src(?:set)?="(?!https?:)([^"]+)"/g),
    ];
    const broken = links.flatMap(([whole, path = '', anchor, image]) => {
      const target = join(root, dirname(file), image ?? path);
      if ((image ?? path) && !existsSync(target)) return [whole];
      if (!anchor) return [];
      const headings = readFileSync(path ? target : join(root, file), 'utf8').match(/^#+ .*$/gm) ?? [];
      return headings.some((heading) => slug(heading) === anchor) ? [] : [whole];
    });
    expect(broken).toEqual([]);
  });
});

/** As GitHub makes it of a heading. */
const slug = (heading: string) =>
  heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

async function run(folder: string): Promise<{ file: string; error: string | null }[]> {
  const child = spawn(process.execPath, [join(root, 'test/node/samples/run.mjs'), folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 110_000,
  });
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
