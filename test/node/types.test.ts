// The published package: what is in it, and its types as a user's compiler reads them.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apiReport, reportFile } from '../../scripts/api-report.mjs';
import { consumerProject, root, tarball } from './consumers/install.ts';

/** Runs one of the tools in node_modules; what it printed where it failed, else ''. */
function complaints(folder: string, tool: string, args: string[]): string {
  try {
    execFileSync(process.execPath, [join(root, 'node_modules', tool), ...args], { cwd: folder });
    return '';
  } catch (error) {
    const { stdout, stderr } = error as { stdout: Buffer; stderr: Buffer };
    return `${stdout}${stderr}`;
  }
}

let folder: string;
let installed: string;
beforeAll(() => {
  folder = consumerProject({ example: 'vite', packages: ['@webgpu/types'] });
  installed = join(folder, 'node_modules/crosshead');
  cpSync(join(root, 'test/node/consumers/use.ts'), join(folder, 'use.ts'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('holds the library and its papers, and nothing else', () => {
  expect(readdirSync(installed).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin',
    'dist',
    'package.json',
  ]);
});

it('has an entry that every kind of importer finds', async () => {
  const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
  expect(messages).toEqual([]);
});

it('has types that every kind of importer of ES modules finds', () => {
  const attw = '@arethetypeswrong/cli/dist/index.js';
  expect(complaints(folder, attw, [tarball(), '--profile', 'esm-only', '--format', 'ascii'])).toBe('');
});

/** Nothing but imports and exports, which a source map has nothing to say of. */
const namesAlone = (text: string) =>
  text.split('\n').every((line) => /^(import .*|export \{.*\};|\/\/.*|)$/.test(line));

it('has a source map, with its sources, for each of its files that has code', () => {
  const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
  const scripts = files.filter((file) => file.endsWith('.js')).map((file) => join(installed, 'dist', file));
  expect(scripts.length).toBeGreaterThan(0);
  for (const script of scripts) {
    const text = readFileSync(script, 'utf8');
    if (namesAlone(text)) continue;
    const name = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(text)?.[1];
    expect(name, `a source map of ${script}`).toBeDefined();
    const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(dirname(script), name!), 'utf8'));
    // A file of shaders alone has none.
    if (/^\/\/ src\//m.test(text)) expect(sources.length, `the sources of ${script}`).toBeGreaterThan(0);
    expect(sourcesContent.length, `the sources of ${script}`).toBe(sources.length);
    expect(sourcesContent.every((text: unknown) => typeof text === 'string' && text !== '')).toBe(true);
  }
});

it('is installed alone: nothing else comes with it', () => {
  const project = consumerProject();
  rmSync(join(project, 'node_modules'), { recursive: true });
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball()], {
    cwd: project,
    stdio: 'ignore',
  });
  const modules = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
  const hasEntry = existsSync(join(project, 'node_modules/crosshead/dist/index.js'));
  rmSync(project, { recursive: true, force: true });
  expect([modules, hasEntry]).toEqual([['crosshead'], true]);
});

it('declares to the public what docs/api-report.md says', () => {
  const message = 'the public surface has changed: look at the change, and renew the report with `npm run api-report`';
  expect(apiReport(), message).toBe(readFileSync(reportFile, 'utf8'));
});

// TypeScript 6 knows WebGPU by itself, and is at odds with @webgpu/types, which only `skipLibCheck` hides; 5.9 knows it from
// @webgpu/types alone.
it.each([
  { compiler: 'typescript', types: [], skipLibCheck: false, module: 'esnext', moduleResolution: 'bundler' },
  { compiler: 'typescript', types: [], skipLibCheck: false, module: 'nodenext', moduleResolution: 'nodenext' },
  {
    compiler: 'typescript',
    types: ['@webgpu/types'],
    skipLibCheck: true,
    module: 'nodenext',
    moduleResolution: 'nodenext',
  },
  {
    compiler: 'typescript-5.9',
    types: ['@webgpu/types'],
    skipLibCheck: false,
    module: 'esnext',
    moduleResolution: 'bundler',
  },
])('compiles with $compiler, types $types, skipLibCheck $skipLibCheck, module $module', ({ compiler, ...options }) => {
  const compilerOptions = {
    ...options,
    skipDefaultLibCheck: true, // TypeScript's own files, which cost most of the time
    strict: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable', 'dom'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts', 'main.ts'] }));
  expect(complaints(folder, `${compiler}/bin/tsc`, [])).toBe('');
});
