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

/** The files that a page loads before it calls anything, as each bundler writes them. */
const bundlers: Record<string, (entry: string) => Promise<string>> = {
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
    const textOf = (file: string) => outputFiles.find(({ path }) => path === join(folder, file))!.text;
    const loaded = new Set<string>();
    const load = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      for (const { path, kind } of metafile.outputs[file].imports) if (kind === 'import-statement') load(path);
    };
    load(Object.keys(metafile.outputs).find((file) => metafile.outputs[file].entryPoint === entry)!);
    return [...loaded].map(textOf).join('\n');
  },
  vite: async (entry) => {
    const result = await build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      build: { write: false, minify: false, target: 'es2022', rollupOptions: { input: join(folder, entry) } },
    });
    const chunks = (
      result as { output: { type: string; fileName: string; code: string; imports: string[]; isEntry: boolean }[] }
    ).output.filter(({ type }) => type === 'chunk');
    const loaded = new Set<string>();
    const load = (name: string) => {
      if (loaded.has(name)) return;
      loaded.add(name);
      chunks.find(({ fileName }) => fileName === name)!.imports.forEach(load);
    };
    load(chunks.find(({ isEntry }) => isEntry)!.fileName);
    return chunks
      .filter(({ fileName }) => loaded.has(fileName))
      .map(({ code }) => code)
      .join('\n');
  },
};

const isOperation = ([name, value]: [string, unknown]) =>
  typeof value === 'function' && /^[a-z]/.test(name) && name !== 'createContext';
const operations = Object.entries(crosshead)
  .filter(isOperation)
  .map(([name]) => name);
const kernels = readdirSync(join(root, 'shaders')).filter((file) => file.endsWith('.wgsl'));

describe.each(Object.entries(bundlers))('%s', (_, bundle) => {
  const pageOf = async (source: string) => {
    writeFileSync(join(folder, 'page.js'), source);
    return bundle('page.js');
  };
  // An operation says its name in its errors, and a kernel the name of its file.
  const operationsIn = (text: string) => operations.filter((name) => new RegExp(`(["'])${name}\\1`).test(text));
  const kernelsIn = (text: string) => kernels.filter((file) => text.includes(`"${file}"`));

  it('leaves of softmax the kernels of softmax, and nothing of other operations', async () => {
    const text = await pageOf(
      "import { createContext, softmax } from 'crosshead'; globalThis.page = { createContext, softmax };",
    );
    expect(operationsIn(text)).toEqual(['softmax']);
    expect(kernelsIn(text)).toEqual(['narrow.wgsl', 'row_parts.wgsl', 'softmax.wgsl']);
  });

  it('leaves all of them on a page that takes all of them', async () => {
    const text = await pageOf("import * as crosshead from 'crosshead'; globalThis.page = crosshead;");
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
