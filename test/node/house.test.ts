// The rooms of the house (docs/ARCHITECTURE.md): what each may import, and what every public name and every shader must say.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root } from './consumers/install.ts';

const filesIn = (folder: string, pattern: RegExp): string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => pattern.test(file) && !file.includes('node_modules'))
        .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    : [];
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** What a TypeScript file imports or re-exports: paths from the repository's root, without extension, or package names. */
function importsOf(file: string): { from: string; typeOnly: boolean }[] {
  const { statements } = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest);
  return statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return [];
    const clause = ts.isImportDeclaration(statement) ? statement.importClause : statement;
    const bound = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
    const names: readonly { isTypeOnly: boolean }[] =
      bound && (ts.isNamedImports(bound) || ts.isNamedExports(bound)) ? bound.elements : [];
    const hasDefault = ts.isImportDeclaration(statement) && statement.importClause?.name !== undefined;
    const allTypes = names.length > 0 && !hasDefault && names.every((name) => name.isTypeOnly);
    const { text } = moduleSpecifier;
    const from = text.startsWith('.') ? relative(root, resolve(root, dirname(file), text)) : text;
    return [{ from: from.replaceAll('\\', '/').replace(/\.(js|ts)$/, ''), typeOnly: !!clause?.isTypeOnly || allTypes }];
  });
}

/** Room by room of src/, what it may import: the table of the papers. A name with a slash at its end is a room; "shaders/" lies beside src/. */
const rooms: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [...read('docs/ARCHITECTURE.md').matchAll(/^\| (`.*) \| (.*) \|$/gm)].flatMap(([, some, allowed]) => {
    const names = (text: string) => [...text.matchAll(/`([\w/]+)`/g)].map(([, name]) => name);
    return names(some).map((room) => [room, names(allowed)]);
  }),
);
/** Types that any room may name: they are gone at run time. */
const sharedTypes = [
  'backend',
  'context',
  'tensor',
  'numbers',
  'rows',
  'webgpu/link',
  'webgpu/plan',
  'webgpu/tune',
  'cpu/loops',
];

const roomOf = (path: string) => path.replace(/^src\//, '').replace(/\/.*/, '/');
const sources = filesIn('src', /(?<!\.d)\.ts$/).map((file) => file.replace(/\.ts$/, ''));
const graph = new Map(sources.map((file) => [file, importsOf(`${file}.ts`)]));
const publicFiles = importsOf('src/index.ts').flatMap(({ from, typeOnly }) => (typeOnly ? [] : [from]));

describe('the rooms', () => {
  it('import what their table allows', () => {
    const wrong = [...graph].flatMap(([file, imports]) => {
      const allowed = rooms[roomOf(file)];
      if (!allowed) return [`${file} stands in no room of the table`];
      return imports
        .filter(({ from, typeOnly }) => {
          const named = typeOnly && sharedTypes.includes(from.replace('src/', ''));
          return !named && !allowed.includes(roomOf(from));
        })
        .map(({ from, typeOnly }) => `${file} imports ${typeOnly ? 'types of ' : ''}${from}`);
    });
    expect(wrong).toEqual([]);
  });

  it('let an operation import its own CPU file, and what operations share, but no other operation', () => {
    const isOperation = (file: string) => file.startsWith('src/operations/') && publicFiles.includes(file);
    const wrong = [...graph]
      .filter(([file]) => isOperation(file))
      .flatMap(([file, imports]) => {
        const strange = (from: string) => from.startsWith('src/cpu/') && from !== file.replace('/operations/', '/cpu/');
        const bad = imports.filter(({ from, typeOnly }) => !typeOnly && (strange(from) || isOperation(from)));
        return bad.map(({ from }) => `${file} imports ${from}`);
      });
    expect(wrong).toEqual([]);
  });

  it('hold no circle at run time', () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (path.includes(file) || done.has(file)) return;
      for (const { from, typeOnly } of graph.get(file) ?? []) if (!typeOnly) visit(from, [...path, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('open to the page, the benchmarks and the examples by the public index alone', () => {
    const outside = ['page', 'bench', 'examples'].flatMap((folder) => filesIn(folder, /\.(m?js|ts)$/));
    const wrong = outside.flatMap((file) =>
      importsOf(file)
        .filter(({ from }) => from.startsWith('src/') && from !== 'src/index')
        .map(({ from }) => `${file} imports ${from}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('the public names', () => {
  it('have a docstring each; of options and results, each property will do', () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, root);
    const files = [join(root, 'src/index.ts'), join(root, 'src/globals.d.ts')];
    const program = ts.createProgram(files, options);
    const checker = program.getTypeChecker();
    const index = checker.getSymbolAtLocation(program.getSourceFile(files[0])!)!;
    const documented = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length > 0;
    const silent = checker.getExportsOfModule(index).filter((name) => {
      const symbol = name.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name;
      if (documented(symbol)) return false;
      if (!(symbol.flags & ts.SymbolFlags.Interface)) return true;
      return !checker.getDeclaredTypeOfSymbol(symbol).getProperties().every(documented);
    });
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});

describe('the shaders', () => {
  // It only packs bits: on the CPU a float16 tensor is kept as floats, so there is nothing to narrow.
  const withoutTwin = ['shaders/narrow.wgsl'];
  const kernels = filesIn('shaders', /^\w+\.wgsl$/).filter((file) => !withoutTwin.includes(file));

  it.each(kernels)('%s and its twin name each other', (file) => {
    const twin = /^\/\/ Twin: (src\/cpu\/\S+\.ts)$/m.exec(read(file))?.[1];
    expect(twin, `a line "// Twin: src/cpu/..." in ${file}`).toBeDefined();
    expect(existsSync(join(root, twin!)), `${twin}, which ${file} names`).toBe(true);
    expect(read(twin!), `${twin} does not name`).toContain(basename(file));
  });

  it('hold no block comments, which the build would not take out', () => {
    expect(filesIn('shaders', /\.wgsl$/).filter((file) => read(file).includes('/*'))).toEqual([]);
  });
});
