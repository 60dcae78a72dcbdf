// What bundlers leave of the library on a page that uses little of it.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as crosshead from '../../src/index.ts';
import { consumerProject, root } from './consumers/install.ts';

let folder: string;
beforeAll(() => {
  folder = consumerProject();
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Chunk {
  readonly name: string;
  readonly code: string;
  readonly imports: readonly string[];
  readonly dynamicImports: readonly string[];
}

/** The files of a page as each bundler writes them, the page's own first. */
const bundlers: Record<string, (entry: string) => Promise<Chunk[]>> = {
  esbuild: async (entry) => {
    const { outputFiles, metafile } = await esbuild.build({
      absWorkingDir: folder,
      entryPoints: [entry],
      bundle: true,
      format: 'esm',
      logLevel: 'error',
      splitting: true,
      outdir: 'dist',
      target: 'es2022',
      write: false,
      metafile: true,
    });
    const chunks = Object.entries(metafile.outputs).map(([name, { imports, entryPoint }]) => {
      const of = (wanted: string) => imports.filter(({ kind }) => kind === wanted).map(({ path }) => path);
      const code = outputFiles.find(({ path }) => path === join(folder, name))!.text;
      const own = entryPoint === entry;
      return { name, code, own, imports: of('import-statement'), dynamicImports: of('dynamic-import') };
    });
    return chunks.sort((a, b) => Number(b.own) - Number(a.own));
  },
  vite: async (entry) => {
    const result = await build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      build: { write: false, minify: false, target: 'es2022', rollupOptions: { input: join(folder, entry) } },
    });
    const { output } = result as { output: (Chunk & { type: string; fileName: string; isEntry: boolean })[] };
    const chunks = output.filter(({ type }) => type === 'chunk').map((chunk) => ({ ...chunk, name: chunk.fileName }));
    return chunks.sort((a, b) => Number(b.isEntry) - Number(a.isEntry));
  },
};

/** What a page loads before it calls anything. */
function loadedAtOnce(chunks: readonly Chunk[]): string {
  const loaded = new Set<Chunk>();
  const load = (chunk: Chunk) => {
    if (loaded.has(chunk)) return;
    loaded.add(chunk);
    for (const name of chunk.imports) load(chunks.find((other) => other.name === name)!);
  };
  load(chunks[0]);
  return [...loaded].map(({ code }) => code).join('\n');
}

const isOperation = ([name, value]: [string, unknown]) =>
  typeof value === 'function' && /^[a-z]/.test(name) && name !== 'createContext';
const operations = Object.entries(crosshead)
  .filter(isOperation)
  .map(([name]) => name);
const kernels = readdirSync(join(root, 'shaders')).filter((file) => file.endsWith('.wgsl'));

describe.each(Object.entries(bundlers))('%s', (bundler, bundle) => {
  const chunksOf = (source: string) => {
    writeFileSync(join(folder, 'page.js'), source);
    return bundle('page.js');
  };
  const pageOf = async (source: string) => loadedAtOnce(await chunksOf(source));
  // An operation says its name in its errors, and a kernel the name of its file.
  const operationsIn = (text: string) => operations.filter((name) => new RegExp(`(["'])${name}\\1`).test(text));
  const kernelsIn = (text: string) => kernels.filter((file) => text.includes(`"${file}"`));

  it('leaves of softmax the kernels of softmax, and nothing of other operations', async () => {
    const text = await pageOf(
      "import { createContext, softmax } from 'crosshead'; globalThis.page = { createContext, softmax };",
    );
    if (bundler === 'esbuild') {
      // esbuild takes every import() for an entry, those of a class that is dropped too: what training shares with softmax's file stays.
      for (const name of ['jsDivergence', 'tripletMarginLoss', 'hingeLoss', 'sample', 'brierLoss', 'infoNCE'])
        expect(operationsIn(text)).not.toContain(name);
    } else {
      expect(operationsIn(text)).toEqual(['softmax']);
      expect(kernelsIn(text)).toEqual(['row_parts.wgsl', 'softmax.wgsl']);
    }
  });

  it('leaves all of them on a page that takes all of them', async () => {
    const chunks = await chunksOf("import * as crosshead from 'crosshead'; globalThis.page = crosshead;");
    const text = chunks.map(({ code }) => code).join('\n');
    expect(operationsIn(text).length).toBeGreaterThan(operations.length * 0.9);
    expect(kernelsIn(text)).toEqual(kernels);
  });

  it('leaves nothing on a page that imports it for nothing', async () => {
    const text = await pageOf(
      "import 'crosshead'; import { softmax, ClassificationHead } from 'crosshead'; globalThis.page = 1;",
    );
    const code = text.replace(/^\s*\/\/.*$/gm, '').trim();
    expect(code).toMatch(/^globalThis\.page = 1;?$/);
  });
});
