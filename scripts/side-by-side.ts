// A bundler lays modules in the order in which they are first imported, and gzip finds what two have in common only where they lie within
// 32 kB. So the index of the modules first imports all shaders that come at once, then all loops, then all operations: 2.2 kB of the 47 kB of a
// page that takes everything. None has side effects: what a page does not use is dropped all the same.

import type { Plugin, Rolldown } from 'vite';

/** What a file imports, and what that imports; not what it loads later. */
function atOnce(bundle: Rolldown.OutputBundle, entry: string): string[] {
  const files = new Set([entry]);
  for (const file of files) {
    const output = bundle[file];
    if (output?.type === 'chunk') for (const imported of output.imports) files.add(imported);
  }
  return [...files];
}

/** @param folders of the modules, in the order in which these are to lie */
export function sideBySide(entry: string, folders: readonly string[]): Plugin {
  return {
    name: 'side-by-side',
    generateBundle(_, bundle) {
      const chunk = bundle[entry];
      if (chunk?.type !== 'chunk' || chunk.imports.length === 0) return; // the library in one file
      const files = atOnce(bundle, entry).sort();
      const lines = folders.flatMap((folder) => files.filter((file) => file.startsWith(`${folder}/`)));
      chunk.code = lines.map((file) => `import './${file}';\n`).join('') + chunk.code;
      if (chunk.map) chunk.map.mappings = ';'.repeat(lines.length) + chunk.map.mappings;
    },
  };
}
