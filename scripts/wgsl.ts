// Lets TypeScript import a shader: `import softmax from '../../shaders/softmax.wgsl'` gives a `Part` (src/webgpu/link.ts).
//
// The first lines of a shader say what it stands on:
//   // Needs: base/exp.wgsl, lib/span.wgsl      files that it takes functions from, relative to shaders/
//   // Seams: io, reduce                        choices that the caller makes (src/webgpu/link.ts lists them)
// Needs become imports of the generated module, so a bundler drops the shaders of operations that a page does not use. Those in base/, which
// nearly all kernels stand on, stay names: they come with the WebGPU backend, and only to visitors who have a GPU.

import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const withoutComments = (text: string): string => text.replace(/\/\/[^\n]*/g, '');

/** Names that TypeScript knows too: bindings, overrides, fields of Params. And WGSL's own, which ours may be as well: @group, workgroup. */
const sharedNames = (text: string): string[] =>
  [
    ...text.matchAll(/@(\w+)/g),
    ...text.matchAll(/@builtin\((\w+)/g),
    ...text.matchAll(/\bvar<(\w+)/g),
    ...text.matchAll(/@binding\(\d+\)\s*var<[^>]*>\s*(\w+)/g),
    ...text.matchAll(/\boverride (\w+)/g),
    ...[...text.matchAll(/struct Params \{([^}]*)\}/g)].flatMap(([, fields]) => [...fields.matchAll(/(\w+)\s*:/g)]),
  ].map(([, name]) => name);

/** Functions that are called and not ours: WGSL's, whose names a variable of ours may have too. */
const builtinsOf = (text: string): string[] => {
  const ours = new Set([...text.matchAll(/\b(?:fn|struct|alias)\s+(\w+)/g)].map(([, name]) => name));
  return [...text.matchAll(/\b(\w+)\s*(?:<\w+>)?\(/g)].map(([, name]) => name).filter((name) => !ours.has(name));
};

/** Names of functions, constants, types, fields and variables outside functions. Shorter ones stay as they are. */
const ownNames = (text: string): string[] => {
  const outside = text.replace(functions, '$1');
  return [
    ...outside.matchAll(/\b(?:fn|var(?:<\w+>)?|const|alias|struct)\s+(\w{3,})/g),
    ...outside.matchAll(/\b(\w{3,})\s*:/g),
  ].map(([, name]) => name);
};

/** Each function: its name, and the rest, to the brace at a line's beginning or, where it has but one line, at that line's end. */
const functions = /^(fn \w+)(.*\}$|[\s\S]*?^\})/gm;

/** Letters in the order in which the code around has most of them, about: gzip's codes for those are the shortest. A hundredth of a page's shaders. */
const common = 'stareinolcdumfpghybwvkxjqz';

/** A function's parameters and variables become letters that it does not use. */
const withShortLocals = (text: string): string =>
  text.replace(functions, (_, name: string, rest: string) => {
    const declared = [...rest.matchAll(/\b(?:let|var|const) (\w{2,})|(?<=[(,)]\s*)(\w{2,}):/g)];
    const locals = new Set(declared.map(([, variable, parameter]) => variable ?? parameter));
    const used = new Set([...rest.matchAll(/\b[a-z]\b/g)].map(([letter]) => letter));
    const letters = [...common].filter((letter) => !used.has(letter));
    const short = new Map([...locals].map((local) => [local, letters.shift() ?? local]));
    return name + rest.replace(/(?<![.\w])[A-Za-z_]\w+/g, (word) => short.get(word) ?? word);
  });

/** A short name for each of the shaders' own, the same in every file, since files are linked by name. */
export function shortNames(texts: readonly string[]): Map<string, string> {
  const all = texts.map(withoutComments).join('\n');
  const shared = new Set([...sharedNames(all), ...builtinsOf(all), 'main', 'Params', 'Offsets', 'default']);
  const saved = (name: string) => all.split(name).length * name.length;
  const names = [...new Set(ownNames(all))].filter((name) => !shared.has(name));
  const most = new Set([...names].sort((a, b) => saved(b) - saved(a) || (a < b ? -1 : 1)).slice(0, 26));
  // The others stay in their order: those of one file, which are used together, begin with the same capital.
  names.sort((a, b) => Number(most.has(b)) - Number(most.has(a)));
  // A capital begins no keyword and no one-letter name of ours.
  const short = (i: number): string =>
    i < 26 ? common[i].toUpperCase() : short(Math.floor(i / 26) - 1) + common[i % 26];
  return new Map(names.map((name, i) => [name, short(i)]));
}

const allShaders = (): string[] =>
  ['shaders', 'shaders/base', 'shaders/lib'].flatMap((folder) =>
    readdirSync(resolve(root, folder))
      .filter((file) => file.endsWith('.wgsl'))
      .map((file) => readFileSync(resolve(root, folder, file), 'utf8')),
  );

/** Comments and blanks go, and the shaders' own names become short. */
export const minifyWgsl = (text: string, names: ReadonlyMap<string, string>): string =>
  withShortLocals(withoutComments(text))
    .replace(/\s+/g, ' ')
    .replace(/\s*([{}()[\];,:=<>+*/%!&|^~])\s*/g, '$1')
    .replace(/(?<!-) ?- ?(?!-)/g, '-') // but not "a - -b"
    .replace(/\b(\d+)\.0\b/g, '$1.')
    .replace(/(?<![\d.])0\.(?=\d)/g, '.')
    .replace(/(\.\d*?)0+(?=e)/g, '$1')
    .replace(/,([)}\]])/g, '$1')
    .replace(/\b(vec\d[fu])\(0[.u]\)/g, '$1()') // which is 0
    .replace(/\b(override|const) (\w+):\w+=/g, '$1 $2=') // of the type that the value has
    .replace(/\b\w{3,}\b/g, (word) => names.get(word) ?? word)
    .trim();

const listed = (text: string, key: string): string[] =>
  [...text.matchAll(new RegExp(`^// ${key}: (.+)$`, 'gm'))].flatMap((line) =>
    line[1].split(',').map((name) => name.trim()),
  );

/** The module that stands for one shader file. */
export function moduleOf(file: string, text: string, names: ReadonlyMap<string, string> | null): string {
  if (text.includes('/*')) throw new Error(`${file}: block comments are not used in shaders, only //`);
  const needs = listed(text, 'Needs');
  const own = needs.filter((need) => !need.startsWith('base/'));
  const imports = own.map((need, i) => `import need${i} from ${JSON.stringify(resolve(root, 'shaders', need))};`);
  const seams = listed(text, 'Seams');
  const needed = needs.map((need) =>
    own.includes(need) ? `need${own.indexOf(need)}` : JSON.stringify(basename(need, '.wgsl')),
  );
  const fields = [
    `file: ${JSON.stringify(relative(resolve(root, 'shaders'), file).replaceAll('\\', '/'))}`,
    `text: ${JSON.stringify(names ? minifyWgsl(text, names) : text)}`,
    ...(needed.length ? [`needs: [${needed.join(', ')}]`] : []),
    ...(seams.length ? [`seams: ${JSON.stringify(seams)}`] : []),
  ];
  return `${imports.join('\n')}\nexport default { ${fields.join(', ')} };`;
}

export function wgsl(): Plugin {
  let names: Map<string, string> | null = null;
  return {
    name: 'wgsl',
    enforce: 'pre',
    config: (_, { command }) => {
      names = command === 'build' ? shortNames(allShaders()) : null;
    },
    async load(id) {
      if (!id.endsWith('.wgsl')) return null;
      this.addWatchFile(id);
      return { code: moduleOf(id, await readFile(id, 'utf8'), names), map: { mappings: '' } };
    },
  };
}
