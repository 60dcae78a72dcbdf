// What a page downloads: dist/index.js as a bundler minifies it, gzipped, for a page that takes a few names and for one that takes all.
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const library = resolve(dirname(fileURLToPath(import.meta.url)), '../dist/index.js');

/**
 * In bytes: what a page may not exceed, and what it should come to. docs/decisions/0005-size.md says what stands between the two.
 */
export const pages = [
  { page: 'createContext and softmax', names: '{ createContext, softmax }', aim: 15_000, limit: 17_000 },
  {
    page: 'createContext, softmax and crossEntropy',
    names: '{ createContext, softmax, crossEntropy }',
    aim: 15_000,
    limit: 23_000,
  },
  { page: 'everything', names: '* as crosshead', aim: 45_000, limit: 80_000 },
];

/** @returns {Promise<number>} bytes of a page's bundle, gzipped */
export async function sizeOf(names) {
  const source = `import ${names} from ${JSON.stringify(library)}; globalThis.page = ${names.replace('* as ', '')};`;
  const result = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === 'page' ? '\0page' : null),
        load: (id) => (id === '\0page' ? source : null),
      },
      {
        // Vite's own, once in a page however many dynamic imports it has; other bundlers have another.
        name: 'without the preload helper',
        enforce: 'pre',
        load: (id) => (id.includes('vite/preload-helper') ? 'export const __vitePreload = (load) => load();' : null),
      },
    ],
    build: { write: false, target: 'es2022', modulePreload: false, rollupOptions: { input: 'page' } },
  });
  // What is imported on the way, a page on a GPU never loads.
  const entry = result.output.find(({ isEntry }) => isEntry);
  return gzipSync(entry.code, { level: 9 }).length;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { page, names, aim, limit } of pages) {
    const bytes = await sizeOf(names);
    console.log(`${page}: ${bytes} bytes gzipped; the aim is ${aim}, the limit ${limit}`);
    if (bytes > limit) process.exitCode = 1;
  }
}
