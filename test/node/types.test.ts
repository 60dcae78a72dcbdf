// The published package: what is in it, and its types as a user's compiler reads them. Every declaration of dist is checked, with
// neither @webgpu/types nor our own compiler options beside it.
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { consumerProject, root } from './consumers/install.ts';

let folder: string;
beforeAll(() => {
  folder = consumerProject({ example: 'vite' });
  cpSync(join(root, 'test/node/consumers/use.ts'), join(folder, 'use.ts'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('holds the library and its papers, and nothing else', () => {
  const contents = readdirSync(join(folder, 'node_modules/crosshead')).sort();
  expect(contents).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json']);
});

it('has an entry that every kind of importer finds', async () => {
  const { messages } = await publint({ pkgDir: join(folder, 'node_modules/crosshead'), pack: false, strict: true });
  expect(messages).toEqual([]);
});

it.each([
  ['bundler', 'esnext'],
  ['node16', 'node16'],
])('compiles with module resolution %s', (moduleResolution, module) => {
  const strict = '--strict --noEmit --skipLibCheck false --target es2022 --lib es2022,esnext.disposable,dom';
  const how = `${strict} --module ${module} --moduleResolution ${moduleResolution}`;
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  let said = '';
  try {
    execFileSync(process.execPath, [tsc, 'use.ts', 'main.ts', ...how.split(' ')], { cwd: folder });
  } catch (error) {
    said = String((error as { stdout: Buffer }).stdout);
  }
  expect(said).toBe('');
});
