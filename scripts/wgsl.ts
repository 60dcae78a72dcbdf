// Lets TypeScript import a shader: `import softmax from '../../shaders/softmax.wgsl'` gives a `Part` (src/webgpu/link.ts).
//
// The first lines of a shader say what it stands on:
//   // Needs: lib/exp.wgsl, lib/bits.wgsl      files that it takes functions from, relative to shaders/
//   // Seams: io, reduce                       choices that the caller makes (src/webgpu/link.ts lists them)
// "Needs" become imports of the generated module, so a bundler drops the shaders of operations that a page does not use.

import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Comments and blanks go; names stay, so that a compiler's message can still be read. */
export const minifyWgsl = (text: string): string =>
  text
    .replace(/\/\/[^\n]*/g, '')
    .replace(/\s+/g, ' ')
    .replace(/\s*([{}()[\];,:=<>+*/%!&|^~])\s*/g, '$1') // '-' is left alone: "a - -b"
    .replace(/,([)}\]])/g, '$1')
    .trim();

const listed = (text: string, key: string): string[] =>
  [...text.matchAll(new RegExp(`^// ${key}: (.+)$`, 'gm'))].flatMap((line) =>
    line[1].split(',').map((name) => name.trim()),
  );

/** The module that stands for one shader file. */
export function moduleOf(file: string, text: string, minify: boolean): string {
  if (text.includes('/*')) throw new Error(`${file}: block comments are not used in shaders, only //`);
  const needs = listed(text, 'Needs');
  const imports = needs.map((need, i) => `import need${i} from ${JSON.stringify(resolve(root, 'shaders', need))};`);
  return `${imports.join('\n')}
export default /* @__PURE__ */ Object.freeze({
  file: ${JSON.stringify(relative(root, file).replaceAll('\\', '/'))},
  text: ${JSON.stringify(minify ? minifyWgsl(text) : text)},
  needs: [${needs.map((_, i) => `need${i}`).join(', ')}],
  seams: ${JSON.stringify(listed(text, 'Seams'))},
});`;
}

export function wgsl(): Plugin {
  let minify = false;
  return {
    name: 'wgsl',
    enforce: 'pre',
    config: (_, { command }) => {
      minify = command === 'build';
    },
    async load(id) {
      if (!id.endsWith('.wgsl')) return null;
      this.addWatchFile(id);
      return { code: moduleOf(id, await readFile(id, 'utf8'), minify), map: { mappings: '' } };
    },
  };
}
