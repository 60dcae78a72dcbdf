// Lets the page import libraries of bench/package.json that need not be installed: `import.meta.env.PEERS` lists those that are.
// An import of any other fails when it is run, and not when the page is served or built. A built page has none of them.
import { existsSync, readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const bench = new URL('../bench/', import.meta.url);

export function peers(): Plugin {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', bench), 'utf8'));
  const names = Object.keys(dependencies);
  let present: string[] = [];
  return {
    name: 'crosshead-peers',
    enforce: 'pre',
    config(_, { command }) {
      const isInstalled = (name: string) => existsSync(new URL(`node_modules/${name}/package.json`, bench));
      if (command === 'serve') present = names.filter(isInstalled);
      return { define: { 'import.meta.env.PEERS': JSON.stringify(present) } };
    },
    resolveId(source) {
      const name = names.find((one) => source === one || source.startsWith(`${one}/`));
      return name && !present.includes(name) ? { id: source, external: true } : null;
    },
  };
}
