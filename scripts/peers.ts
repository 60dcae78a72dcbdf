// Lets the page import libraries of bench/package.json that need not be installed. `import.meta.env.VERSIONS` holds the versions of
// those that are, and crosshead's. An import of any other fails when it is run, and not when the page is served. A built page has none.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const bench = new URL('../bench/', import.meta.url);
const read = (file: string) => JSON.parse(readFileSync(new URL(file, bench), 'utf8'));

export function peers(): Plugin {
  const { dependencies } = read('package.json');
  const names = Object.keys(dependencies);
  const versions: Record<string, string> = { crosshead: read('../package.json').version };
  return {
    name: 'crosshead-peers',
    enforce: 'pre',
    config(_, { command }) {
      const isInstalled = (name: string) => existsSync(new URL(`node_modules/${name}/package.json`, bench));
      const present = command === 'serve' ? names.filter(isInstalled) : [];
      for (const name of present) versions[name] = dependencies[name];
      return { define: { 'import.meta.env.VERSIONS': JSON.stringify(versions) } };
    },
    // Libraries ask for their wasm files under /node_modules, as a server of bench/ has them; a server of the repository has them deeper.
    configureServer({ config, middlewares }) {
      if (resolve(config.root) === resolve(fileURLToPath(bench))) return;
      middlewares.use((request, _, next) => {
        if (names.some((name) => request.url?.startsWith(`/node_modules/${name}/`)))
          request.url = `/bench${request.url}`;
        next();
      });
    },
    resolveId(source) {
      const name = names.find((one) => source === one || source.startsWith(`${one}/`));
      return name && !(name in versions) ? { id: source, external: true } : null;
    },
  };
}
