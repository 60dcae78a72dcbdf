// What a page downloads: the package as a bundler minifies it, gzipped, for a page that takes a few names and for one that takes all.
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const library = resolve(dirname(fileURLToPath(import.meta.url)), '../dist/modules/index.js');

/**
 * In bytes, what a page's own bundle may come to. What it loads later comes apart: the backend that its visitor has, and training, where
 * it trains (docs/decisions/0005-size.md).
 */
export const pages = [
  { page: 'createContext and softmax', names: '{ createContext, softmax }', limit: 6_100 },
  {
    page: 'createContext, softmax and crossEntropy',
    names: '{ createContext, softmax, crossEntropy }',
    limit: 10_500,
  },
  { page: 'everything', names: '* as crosshead', limit: 45_000 },
];

/** @returns {Promise<Map<string, number>>} bytes, gzipped: of what a page loads at once, first, and of each file that may come later */
export async function sizesOf(names) {
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
  const chunks = result.output.filter(({ type }) => type === 'chunk');
  const bytesOf = ({ code }) => gzipSync(code, { level: 9 }).length;
  // With the entry comes what it imports, and what that imports.
  const atOnce = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports } of atOnce) for (const file of imports) atOnce.add(chunks.find((c) => c.fileName === file));
  const entry = [...atOnce].reduce((sum, chunk) => sum + bytesOf(chunk), 0);
  const later = chunks.filter((chunk) => !atOnce.has(chunk));
  return new Map([['page', entry], ...later.map((chunk) => [chunk.name, bytesOf(chunk)])]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { page, names, limit } of pages) {
    const [[, bytes], ...later] = await sizesOf(names);
    console.log(`${page}: ${bytes} bytes gzipped, of ${limit}`);
    for (const [name, size] of later) console.log(`    ${name}: ${size} more where it is needed`);
    if (bytes > limit) process.exitCode = 1;
  }
}
